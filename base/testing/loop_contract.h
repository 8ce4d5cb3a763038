// What every Loop promises, as a test suite. An implementation passes it by one line in its test:
//   INSTANTIATE_TEST_SUITE_P(Loops, LoopContract, testing::Values(LoopUnderTest{"Sim", &MakeSim}),
//                            LoopName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/loop.h"

namespace base {

// Owns a loop and knows how to run it.
class LoopDriver {
 public:
  virtual ~LoopDriver() = default;
  virtual Loop& loop() = 0;
  // Runs the loop until a task has called Finish.
  virtual void Run() = 0;
  virtual void Finish() = 0;
};

struct LoopUnderTest {
  std::string name;
  std::unique_ptr<LoopDriver> (*make)();
};

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string LoopName(const testing::TestParamInfo<LoopUnderTest>& info);

class LoopContract : public testing::TestWithParam<LoopUnderTest> {
 protected:
  void SetUp() override;
  Loop& loop() { return driver_->loop(); }
  // Appends `word` to what the test compares in the end.
  void Say(const std::string& word);

  std::unique_ptr<LoopDriver> driver_;
  std::string said_;
};

}  // namespace base
