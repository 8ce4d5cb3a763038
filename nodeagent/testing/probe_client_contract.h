// What every ProbeClient promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(ProbeClients, ProbeClientContract,
//                            testing::Values(ProbeClientUnderTest{"Fake", &MakeFake}),
//                            ProbeClientName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/testing/loop_runner.h"
#include "nodeagent/pods/probe_client.h"

namespace nodeagent {

// Owns a client, the loop that it answers on, and knows what can be asked.
class ProbeClientWorld {
 public:
  virtual ~ProbeClientWorld() = default;
  virtual base::LoopRunner& runner() = 0;
  virtual ProbeClient& client() = 0;
  virtual Check Answers(int http_status) = 0;  // over HTTP
  virtual Check Accepts() = 0;                 // over TCP
  virtual Check Refuses(Check::Kind kind) = 0;
  virtual Check IsSilent() = 0;  // over HTTP: it accepts, and says nothing
};

struct ProbeClientUnderTest {
  std::string name;
  std::unique_ptr<ProbeClientWorld> (*make)();
};

void PrintTo(const ProbeClientUnderTest& client, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string ProbeClientName(const testing::TestParamInfo<ProbeClientUnderTest>& info);

class ProbeClientContract : public testing::TestWithParam<ProbeClientUnderTest> {
 protected:
  base::Status Ask(const Check& check, base::Duration timeout = base::Duration::Seconds(30));

  const std::unique_ptr<ProbeClientWorld> world_ = GetParam().make();
};

}  // namespace nodeagent
