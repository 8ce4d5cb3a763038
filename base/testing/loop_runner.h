// LoopRunner: a loop for a contract suite, and how to run it: what the worlds of all suites share.
// SimRunner has virtual time; edge/testing/real_runner.h the real one.
#pragma once

#include <functional>
#include <utility>

#include "base/loop.h"
#include "base/testing/sim_loop.h"

namespace base {

class LoopRunner {
 public:
  virtual ~LoopRunner() = default;
  virtual Loop& loop() = 0;
  // Runs the loop, `act` first, until `done` (asked on the loop) or for at most `limit`; false if
  // it was not reached.
  virtual bool Run(std::function<void()> act, std::function<bool()> done, Duration limit) = 0;
};

class SimRunner final : public LoopRunner {
 public:
  Loop& loop() override { return loop_; }
  bool Run(std::function<void()> act, std::function<bool()> done, Duration limit) override {
    loop_.Post(std::move(act));
    return loop_.RunUntil(done, limit);
  }

 private:
  SimLoop loop_{1};
};

}  // namespace base
