#include "nodeagent/testing/fake_runtime.h"

#include <gtest/gtest.h>

#include "base/testing/sim_loop.h"
#include "nodeagent/testing/runtime_contract.h"

namespace nodeagent {
namespace {

class FakeRuntimeWorld final : public RuntimeWorld {
 public:
  Runtime& runtime() override { return runtime_; }
  bool Run(std::function<void()> act, std::function<bool()> done, base::Duration limit) override {
    loop_.Post(std::move(act));
    return loop_.RunUntil(done, limit);
  }
  ContainerConfig Program(const std::string& program) override {
    ContainerConfig config;
    config.image = "registry.test/" + program;
    runtime_.AddImage(config.image);
    return config;
  }
  std::string log_directory() override { return "/logs"; }
  std::string ReadLog(const std::string& path) override { return runtime_.Log(path); }
  void StopDaemon() override { runtime_.SetDown(true); }
  void StartDaemon() override { runtime_.SetDown(false); }

 private:
  base::SimLoop loop_{1};
  base::Faults faults_{1};
  FakeRuntime runtime_{loop_, faults_};
};

std::unique_ptr<RuntimeWorld> MakeFakeWorld() { return std::make_unique<FakeRuntimeWorld>(); }

INSTANTIATE_TEST_SUITE_P(Runtimes, RuntimeContract,
                         testing::Values(RuntimeUnderTest{"Fake", &MakeFakeWorld}), RuntimeName);

class FakeRuntimeTest : public testing::Test {
 protected:
  // Calls and waits: "OK", "Timeout after 2m0s", ...
  std::string Pull(const std::string& reference) {
    std::string said;
    const base::MonotonicTime begin = loop_.now().monotonic;
    runtime_.PullImage(reference, {}, [&](base::Result<std::string> answer) {
      said = answer.ok() ? "OK" : answer.status().ToString();
      said += " after " + (loop_.now().monotonic - begin).ToString();
    });
    loop_.RunFor(base::Duration::Minutes(5));
    return said;
  }
  std::string Launch(const std::string& program, uint32_t attempt) {
    std::string id;
    SandboxConfig pod;
    pod.pod_uid = "uid";
    ContainerConfig config;
    config.name = "main";
    config.attempt = attempt;
    config.image = program;
    runtime_.AddImage(program);
    runtime_.RunSandbox(pod, [&](base::Result<std::string> sandbox) {
      runtime_.CreateContainer(*sandbox, pod, config, [&](base::Result<std::string> container) {
        id = *container;
        runtime_.StartContainer(id, [](base::Status) {});
      });
    });
    loop_.RunFor(base::Duration::Seconds(1));
    return id;
  }
  std::string StateOf(const std::string& id) {
    for (const ContainerState& state : runtime_.Now().containers) {
      if (state.id != id) continue;
      if (state.phase == ContainerPhase::kRunning) return "running";
      return std::to_string(state.exit_code) + " " + state.reason;
    }
    return "gone";
  }

  base::SimLoop loop_{7};
  base::Faults faults_{7};
  FakeRuntime runtime_{loop_, faults_};
};

TEST_F(FakeRuntimeTest, PullTakesItsTimeAndEndsAsTold) {
  runtime_.SetPull("slow", base::Duration::Seconds(40));
  runtime_.SetPull("secret", base::Duration::Seconds(1),
                   base::Status(base::Code::kForbidden, "the registry refuses"));
  EXPECT_EQ(Pull("any"), "OK after 800ms");
  EXPECT_EQ(Pull("slow"), "OK after 40s");
  EXPECT_EQ(Pull("secret"), "Forbidden: the registry refuses after 1s");
}

TEST_F(FakeRuntimeTest, ProgramCrashesOnceAndThenRuns) {
  const std::string first = Launch("crash-once:4:100ms", 0);
  const std::string second = Launch("crash-once:4:100ms", 1);
  EXPECT_EQ(StateOf(first), "4 Error");
  EXPECT_EQ(StateOf(second), "running");
}

TEST_F(FakeRuntimeTest, BrokenProgramDoesNotStart) {
  EXPECT_EQ(StateOf(Launch("broken", 0)), "128 StartError");
}

TEST_F(FakeRuntimeTest, HangAnswersTimeoutWithoutEffectAndLostWithIt) {
  faults_.SetOnce("runtime.pull_image.hang");
  EXPECT_EQ(Pull("a"), "Timeout: pull_image did not answer in time after 2m");
  EXPECT_EQ(Pull("a"), "OK after 800ms");
  faults_.SetOnce("runtime.run_sandbox.lost");
  std::string said;
  runtime_.RunSandbox({}, [&](base::Result<std::string> id) { said = id.status().ToString(); });
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(runtime_.Now().sandboxes.size(), 1u);
  EXPECT_EQ(said, "");
  loop_.RunFor(kFakeCallTimeout);
  EXPECT_EQ(said, "Timeout: run_sandbox did not answer in time");
}

TEST_F(FakeRuntimeTest, WrongExitCodeAndErrorCanBeInjected) {
  faults_.SetOnce("runtime.exit.wrong");
  EXPECT_EQ(StateOf(Launch("exit:0:10ms", 0)), "255 Error");
  faults_.Set("runtime.start.error", 1);
  const std::string container = Launch("run", 1);
  EXPECT_EQ(StateOf(container), "0 ");  // created, not started
}

TEST_F(FakeRuntimeTest, RebootEndsAllAndDisconnectForgetsTheAgent) {
  const std::string container = Launch("run", 0);
  int answers = 0;
  runtime_.List([&](base::Result<RuntimeSnapshot>) { ++answers; });
  runtime_.OnChange([&] { ++answers; });
  runtime_.Disconnect();
  runtime_.Reboot();
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(StateOf(container), "255 Unknown");
  EXPECT_FALSE(runtime_.Now().sandboxes.at(0).ready);
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace nodeagent
