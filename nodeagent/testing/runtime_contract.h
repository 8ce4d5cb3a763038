// What every Runtime promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(Runtimes, RuntimeContract,
//                            testing::Values(RuntimeUnderTest{"Fake", &MakeFakeWorld}),
//                            RuntimeName);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/loop.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// Owns a runtime without pods, the loop that it answers on, and knows programs for its containers.
class RuntimeWorld {
 public:
  virtual ~RuntimeWorld() = default;
  virtual Runtime& runtime() = 0;
  // Runs the loop, `act` first, until `done` (asked on the loop) or for at most `limit`; false if
  // it was not reached.
  virtual bool Run(std::function<void()> act, std::function<bool()> done, base::Duration limit) = 0;
  // A container that does what FakeRuntime's image of that name does: "run", "exit:3:200ms",
  // "drain:300ms", "stubborn", "oom:100ms", "print". Its image is on the node.
  virtual ContainerConfig Program(const std::string& program) = 0;
  virtual std::string log_directory() = 0;
  virtual std::string ReadLog(const std::string& path) = 0;
  // The daemon behind the runtime. StartDaemon returns when it serves again.
  virtual void StopDaemon() = 0;
  virtual void StartDaemon() = 0;
};

struct RuntimeUnderTest {
  std::string name;
  std::unique_ptr<RuntimeWorld> (*make)();  // null: this machine cannot run it; the test is skipped
};

void PrintTo(const RuntimeUnderTest& runtime, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string RuntimeName(const testing::TestParamInfo<RuntimeUnderTest>& info);

// Most that one step of a test may take.
inline constexpr base::Duration kStepLimit = base::Duration::Seconds(60);

class RuntimeContract : public testing::TestWithParam<RuntimeUnderTest> {
 protected:
  void SetUp() override;
  void TearDown() override;  // removes all pods
  Runtime& runtime() { return world_->runtime(); }

  // Makes a call on the loop and runs it to its answer; kTimeout if it does not come.
  template <typename T>
  base::Result<T> Ask(std::function<void(Runtime::Done<T>)> call);
  base::Status Do(std::function<void(Runtime::DoneStatus)> call);

  SandboxConfig Pod(const std::string& name) const;
  base::Result<std::string> RunSandbox(const SandboxConfig& pod);
  base::Result<std::string> Create(const std::string& sandbox, const SandboxConfig& pod,
                                   const ContainerConfig& container);
  base::Status Start(const std::string& container);
  base::Status Stop(const std::string& container, base::Duration grace);
  base::Result<ExecResult> Exec(const std::string& container, std::vector<std::string> command,
                                base::Duration timeout = base::Duration::Seconds(10));
  std::string OpenExec(const std::string& container, std::vector<std::string> command,
                       const std::string& input = "", const std::string& resize = "");
  RuntimeSnapshot List();
  // A pod of that name with one container "main", created and started: its id.
  std::string Launch(const std::string& name, const std::string& program);
  ContainerState StateOf(const std::string& container);  // an empty one if it is not listed
  // Lists whenever something changed, until the container has exited.
  ContainerState WaitForExit(const std::string& container);
  // "web: exited 3 Error", a line for each container.
  std::string Summary();

  std::unique_ptr<RuntimeWorld> world_;
  int changes_ = 0;  // how often OnChange was called
};

}  // namespace nodeagent
