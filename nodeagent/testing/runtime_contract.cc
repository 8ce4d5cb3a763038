#include "nodeagent/testing/runtime_contract.h"

#include <algorithm>
#include <regex>
#include <utility>

#include "base/json.h"
#include "base/net/remote_channels.h"

namespace nodeagent {
namespace {

const char* PhaseName(ContainerPhase phase) {
  switch (phase) {
    case ContainerPhase::kCreated: return "created";
    case ContainerPhase::kRunning: return "running";
    case ContainerPhase::kExited: return "exited";
    default: return "unknown";
  }
}

std::string CodeOf(const base::Status& status) {
  return status.ok() ? "OK" : status.ToString().substr(0, status.ToString().find(':'));
}

constexpr base::Duration kShortGrace = base::Duration::Seconds(1);
constexpr base::Duration kLongGrace = base::Duration::Seconds(30);

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RuntimeContract);

void PrintTo(const RuntimeUnderTest& runtime, std::ostream* out) { *out << runtime.name; }

std::string RuntimeName(const testing::TestParamInfo<RuntimeUnderTest>& info) {
  return info.param.name;
}

void RuntimeContract::SetUp() {
  world_ = GetParam().make();
  if (!world_) GTEST_SKIP() << "this machine cannot run it";
  // Set on the loop, as all calls are.
  world_->Run([this] { runtime().OnChange([this] { ++changes_; }); }, [] { return true; },
              kStepLimit);
}

void RuntimeContract::TearDown() {
  if (!world_) return;
  for (const SandboxState& sandbox : List().sandboxes) {
    EXPECT_TRUE(Do([&](auto done) { runtime().StopSandbox(sandbox.id, done); }).ok());
    EXPECT_TRUE(Do([&](auto done) { runtime().RemoveSandbox(sandbox.id, done); }).ok());
  }
  EXPECT_EQ(List().sandboxes.size(), 0u);
}

template <typename T>
base::Result<T> RuntimeContract::Ask(std::function<void(Runtime::Done<T>)> call) {
  // Shared, so that an answer after the limit finds a place.
  const auto answers = std::make_shared<std::vector<base::Result<T>>>();
  const bool answered = world_->Run(
      [&] { call([answers](base::Result<T> answer) { answers->push_back(std::move(answer)); }); },
      [answers] { return !answers->empty(); }, kStepLimit);
  if (!answered) return base::Status(base::Code::kTimeout, "no answer");
  EXPECT_EQ(answers->size(), 1u);
  return answers->front();
}

base::Status RuntimeContract::Do(std::function<void(Runtime::DoneStatus)> call) {
  return Ask<bool>([&call](Runtime::Done<bool> done) {
           call([done](const base::Status& status) {
             done(status.ok() ? base::Result<bool>(true) : base::Result<bool>(status));
           });
         })
      .status();
}

SandboxConfig RuntimeContract::Pod(const std::string& name) const {
  SandboxConfig pod;
  pod.pod_uid = "uid-" + name;
  pod.pod_name = name;
  pod.pod_namespace = "default";
  pod.hostname = name;
  pod.log_directory = world_->log_directory() + "/" + name;
  pod.labels = {{kPodNameLabel, name}, {kPodNamespaceLabel, "default"}};
  pod.annotations = {{"note", "a pod of the contract"}};
  return pod;
}

base::Result<std::string> RuntimeContract::RunSandbox(const SandboxConfig& pod) {
  return Ask<std::string>([&](auto done) { runtime().RunSandbox(pod, done); });
}

base::Result<std::string> RuntimeContract::Create(const std::string& sandbox,
                                                  const SandboxConfig& pod,
                                                  const ContainerConfig& container) {
  return Ask<std::string>(
      [&](auto done) { runtime().CreateContainer(sandbox, pod, container, done); });
}

base::Status RuntimeContract::Start(const std::string& container) {
  return Do([&](auto done) { runtime().StartContainer(container, done); });
}

base::Status RuntimeContract::Stop(const std::string& container, base::Duration grace) {
  return Do([&](auto done) { runtime().StopContainer(container, grace, done); });
}

base::Result<ExecResult> RuntimeContract::Exec(const std::string& container,
                                               std::vector<std::string> command,
                                               base::Duration timeout) {
  return Ask<ExecResult>([&](auto done) { runtime().Exec(container, command, timeout, done); });
}

RuntimeSnapshot RuntimeContract::List() {
  auto snapshot = Ask<RuntimeSnapshot>([&](auto done) { runtime().List(done); });
  EXPECT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  return snapshot.ok() ? *snapshot : RuntimeSnapshot();
}

std::string RuntimeContract::Launch(const std::string& name, const std::string& program) {
  const SandboxConfig pod = Pod(name);
  const auto sandbox = RunSandbox(pod);
  EXPECT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  if (!sandbox.ok()) return "";
  ContainerConfig config = world_->Program(program);
  config.name = "main";
  config.log_path = "main/0.log";
  config.arguments = {"first", "second one"};
  config.environment = {{"PLUMB_COLOR", "blue"}, {"PLUMB_EMPTY", ""}};
  const auto container = Create(*sandbox, pod, config);
  EXPECT_TRUE(container.ok()) << container.status().ToString();
  if (!container.ok()) return "";
  const base::Status started = Start(*container);
  EXPECT_TRUE(started.ok()) << started.ToString();
  return *container;
}

ContainerState RuntimeContract::StateOf(const std::string& container) {
  for (ContainerState& state : List().containers) {
    if (state.id == container) return std::move(state);
  }
  return {};
}

ContainerState RuntimeContract::WaitForExit(const std::string& container) {
  while (true) {
    const int seen = changes_;
    ContainerState state = StateOf(container);
    if (state.phase == ContainerPhase::kExited) return state;
    if (world_->Run([] {}, [&] { return changes_ != seen; }, kStepLimit)) continue;
    ADD_FAILURE() << "nothing announced that the container ended";
    return state;
  }
}

std::string RuntimeContract::Summary() {
  const RuntimeSnapshot snapshot = List();
  std::vector<std::string> lines;
  for (const ContainerState& state : snapshot.containers) {
    std::string line =
        state.name + "/" + std::to_string(state.attempt) + ": " + PhaseName(state.phase);
    if (state.phase == ContainerPhase::kExited) {
      line += " " + std::to_string(state.exit_code) + " " + state.reason;
    }
    lines.push_back(line + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string text = std::to_string(snapshot.sandboxes.size()) + " sandboxes\n";
  for (const std::string& line : lines) text += line;
  return text;
}

TEST_P(RuntimeContract, SaysItsNameAndThatItIsReady) {
  const auto version = Ask<RuntimeVersion>([&](auto done) { runtime().Version(done); });
  ASSERT_TRUE(version.ok()) << version.status().ToString();
  EXPECT_NE(version->name, "");
  EXPECT_NE(version->version, "");
  EXPECT_EQ(Do([&](auto done) { runtime().Ready(done); }).ToString(), "OK");
}

TEST_P(RuntimeContract, PodLivesFromSandboxToRemoval) {
  const SandboxConfig pod = Pod("life");
  const auto sandbox = RunSandbox(pod);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  ContainerConfig config = world_->Program("run");
  config.name = "web";
  config.log_path = "web/0.log";
  config.labels = {{kContainerNameLabel, "web"}};
  const auto container = Create(*sandbox, pod, config);
  ASSERT_TRUE(container.ok()) << container.status().ToString();
  EXPECT_EQ(Summary(), "1 sandboxes\nweb/0: created\n");

  EXPECT_EQ(Start(*container).ToString(), "OK");
  EXPECT_EQ(Summary(), "1 sandboxes\nweb/0: running\n");

  EXPECT_EQ(Stop(*container, kLongGrace).ToString(), "OK");
  EXPECT_EQ(Summary(), "1 sandboxes\nweb/0: exited 0 Completed\n");
  const ContainerState ended = StateOf(*container);
  EXPECT_LE(ended.created_at, ended.started_at);
  EXPECT_LT(ended.started_at, ended.finished_at);

  EXPECT_TRUE(Do([&](auto done) { runtime().RemoveContainer(*container, done); }).ok());
  EXPECT_EQ(Summary(), "1 sandboxes\n");
  EXPECT_TRUE(Do([&](auto done) { runtime().StopSandbox(*sandbox, done); }).ok());
  EXPECT_EQ(List().sandboxes.at(0).ready, false);
  EXPECT_TRUE(Do([&](auto done) { runtime().RemoveSandbox(*sandbox, done); }).ok());
  EXPECT_EQ(Summary(), "0 sandboxes\n");
}

TEST_P(RuntimeContract, ListTellsWhatWasConfigured) {
  SandboxConfig pod = Pod("told");
  pod.attempt = 2;
  const auto sandbox = RunSandbox(pod);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  ContainerConfig config = world_->Program("run");
  config.name = "web";
  config.attempt = 3;
  config.annotations = {{"hash", "abc"}};
  const auto container = Create(*sandbox, pod, config);
  ASSERT_TRUE(container.ok()) << container.status().ToString();

  const RuntimeSnapshot seen = List();
  ASSERT_EQ(seen.sandboxes.size(), 1u);
  const SandboxState& state = seen.sandboxes[0];
  EXPECT_EQ(state.pod_uid + " " + state.pod_namespace + "/" + state.pod_name + " " +
                std::to_string(state.attempt) + (state.ready ? " ready" : ""),
            "uid-told default/told 2 ready");
  EXPECT_EQ(state.labels.at(kPodNameLabel), "told");
  EXPECT_EQ(state.labels.at(kManagedLabel), "true");
  EXPECT_EQ(state.annotations.at("note"), "a pod of the contract");
  EXPECT_TRUE(std::regex_match(state.ip, std::regex("\\d+\\.\\d+\\.\\d+\\.\\d+"))) << state.ip;
  ASSERT_EQ(seen.containers.size(), 1u);
  EXPECT_EQ(seen.containers[0].sandbox_id, *sandbox);
  EXPECT_EQ(seen.containers[0].name, "web");
  EXPECT_EQ(seen.containers[0].attempt, 3u);
  EXPECT_EQ(seen.containers[0].image, config.image);
  EXPECT_NE(seen.containers[0].image_id, "");
  EXPECT_EQ(seen.containers[0].annotations.at("hash"), "abc");
}

TEST_P(RuntimeContract, PodsOfTheirOwnNetworkHaveDifferentAddressesAndHostPodsNone) {
  SandboxConfig host = Pod("host");
  host.host_network = true;
  ASSERT_TRUE(RunSandbox(Pod("one")).ok());
  ASSERT_TRUE(RunSandbox(Pod("two")).ok());
  ASSERT_TRUE(RunSandbox(host).ok());
  std::map<std::string, std::string> ips;
  for (const SandboxState& sandbox : List().sandboxes) ips[sandbox.pod_name] = sandbox.ip;
  EXPECT_NE(ips["one"], ips["two"]);
  EXPECT_NE(ips["one"], "");
  EXPECT_EQ(ips["host"], "");
}

TEST_P(RuntimeContract, ExitIsAnnouncedWithCodeAndReason) {
  const std::string failed = Launch("failing", "exit:3:200ms");
  EXPECT_EQ(WaitForExit(failed).exit_code, 3);
  EXPECT_EQ(Summary(), "1 sandboxes\nmain/0: exited 3 Error\n");
  const std::string completed = Launch("completing", "exit:0:200ms");
  EXPECT_EQ(WaitForExit(completed).reason, "Completed");
}

TEST_P(RuntimeContract, StubbornContainerIsKilledAfterItsGrace) {
  const std::string container = Launch("stubborn", "stubborn");
  EXPECT_EQ(Stop(container, kShortGrace).ToString(), "OK");
  EXPECT_EQ(Summary(), "1 sandboxes\nmain/0: exited 137 Error\n");
}

TEST_P(RuntimeContract, DrainingContainerHasItsGrace) {
  const std::string container = Launch("draining", "drain:300ms");
  EXPECT_EQ(Stop(container, kLongGrace).ToString(), "OK");
  EXPECT_EQ(Summary(), "1 sandboxes\nmain/0: exited 0 Completed\n");
}

TEST_P(RuntimeContract, ArgumentsAndEnvironmentReachTheContainerAndItsLog) {
  const std::string container = Launch("printing", "print");
  WaitForExit(container);
  const std::string log = world_->ReadLog(Pod("printing").log_directory + "/main/0.log");
  // The container log format: time, stream, F for a full line, text.
  const std::string text =
      std::regex_replace(log, std::regex("\\d{4}-\\d\\d-\\d\\dT[^ ]+ stdout F "), "TIME ");
  EXPECT_EQ(text, "TIME first\nTIME second one\nTIME PLUMB_COLOR=blue\nTIME PLUMB_EMPTY=\n");
}

TEST_P(RuntimeContract, ContainerThatTakesTooMuchMemoryIsOomKilled) {
  const std::string container = Launch("greedy", "oom:100ms");
  ContainerState state = WaitForExit(container);
  // The reason may come after the exit, announced as a change of its own.
  while (state.reason != "OOMKilled") {
    const int seen = changes_;
    ASSERT_TRUE(world_->Run([] {}, [&] { return changes_ != seen; }, kStepLimit)) << Summary();
    state = StateOf(container);
  }
  EXPECT_EQ(state.exit_code, 137);
}

TEST_P(RuntimeContract, ExecAnswersWithCodeAndOutput) {
  const std::string container = Launch("exec", "run");
  const auto echo = Exec(container, {"echo", "hello", "there"});
  ASSERT_TRUE(echo.ok()) << echo.status().ToString();
  EXPECT_EQ(std::to_string(echo->exit_code) + " " + echo->output, "0 hello there\n");
  const auto failing = Exec(container, {"false"});
  ASSERT_TRUE(failing.ok()) << failing.status().ToString();
  EXPECT_EQ(failing->exit_code, 1);
}

TEST_P(RuntimeContract, ExecFailsWithoutAProgramAContainerOrTime) {
  const std::string container = Launch("exec", "run");
  EXPECT_EQ(CodeOf(Exec(container, {"sleep", "30"}, base::Duration::Millis(300)).status()),
            "Timeout");
  EXPECT_FALSE(Exec(container, {"no-such-program"}).ok());
  EXPECT_EQ(Stop(container, kLongGrace).ToString(), "OK");
  EXPECT_FALSE(Exec(container, {"true"}).ok());
  EXPECT_EQ(CodeOf(Exec("0123", {"true"}).status()), "NotFound");
}

// Runs a command with its input and output open: "out: ...", "err: ...", "status: ...", or why there
// was no command. `input` is written at once, then closed.
std::string RuntimeContract::OpenExec(const std::string& container,
                                      std::vector<std::string> command, const std::string& input,
                                      const std::string& resize) {
  std::string out, err, status;
  bool ended = false;
  std::unique_ptr<base::Duplex> stream;
  base::RemoteMessageReader reader;
  const state::ExecRequest request{.command = std::move(command),
                                   .stdin_open = !input.empty() || !resize.empty(),
                                   .stdout_open = true,
                                   .stderr_open = resize.empty(),
                                   .terminal = !resize.empty()};
  const auto start = [&] {
    stream = runtime().OpenExec(container, request);
    stream->Listen({.bytes =
                        [&](std::string_view bytes) {
                          const base::Status read = reader.Feed(
                              bytes, [&](base::RemoteChannel channel, std::string_view payload) {
                                (channel == base::RemoteChannel::kStdout   ? out
                                 : channel == base::RemoteChannel::kStderr ? err
                                                                           : status) += payload;
                              });
                          CHECK(read.ok());
                        },
                    .finished =
                        [&](const base::Status& why) {
                          if (!why.ok()) status = std::string(base::ReasonOf(why.code()));
                          ended = true;
                        }});
    if (!resize.empty()) stream->Write(base::RemoteMessage(base::RemoteChannel::kResize, resize));
    if (input.empty()) return;
    stream->Write(base::RemoteMessage(base::RemoteChannel::kStdin, input));
    stream->Write(base::RemoteMessage(base::RemoteChannel::kClose, std::string(1, '\0')));
  };
  const bool in_time = world_->Run(
      start, [&] { return ended; }, kStepLimit);
  world_->Run([&] { stream.reset(); }, [&] { return stream == nullptr; }, kStepLimit);
  if (!in_time) return "no end";
  std::erase(out, '\r');  // a terminal's
  const base::Result<base::Json> json = base::ParseJson(status);
  if (json.ok()) {
    const base::Json& told = *json;
    const base::Json& causes = told["details"]["causes"];
    status = told["status"].AsString();
    for (const base::Json& cause : causes.Elements())
      status += " " + std::string(cause["message"].AsString());
  }
  return (out.size() > 1000 ? std::to_string(out.size()) + " bytes" : out) + "|" + err + "|" +
         status;
}

TEST_P(RuntimeContract, OpenCommandsTellApartWhatTheySayAndHowTheyEnd) {
  const std::string container = Launch("exec", "run");
  EXPECT_EQ(OpenExec(container, {"echo", "hello", "there"}), "hello there\n||Success");
  EXPECT_EQ(OpenExec(container, {"false"}), "||Failure 1");
}

TEST_P(RuntimeContract, OpenCommandsReadTheirInputToItsEnd) {
  const std::string container = Launch("exec", "run");
  EXPECT_EQ(OpenExec(container, {"cat"}, "what goes in"), "what goes in||Success");
  EXPECT_EQ(OpenExec(container, {"cat"}, std::string(600'000, 'x')), "600000 bytes||Success");
}

TEST_P(RuntimeContract, OpenCommandsAreToldTheSizeOfTheirTerminal) {
  const std::string container = Launch("exec", "run");
  EXPECT_EQ(OpenExec(container, {"size"}, "", R"({"Width":132,"Height":43})"), "132x43\n||Success");
}

TEST_P(RuntimeContract, OpenCommandsNeedAProgramAndAContainerThatRuns) {
  const std::string container = Launch("exec", "run");
  const std::string missing = OpenExec(container, {"no-such-program"});
  EXPECT_TRUE(missing == "||InternalError" || missing.starts_with("||Failure")) << missing;
  EXPECT_EQ(Stop(container, kLongGrace).ToString(), "OK");
  EXPECT_EQ(OpenExec(container, {"true"}), "||InternalError");
  EXPECT_EQ(OpenExec("0123", {"true"}), "||NotFound");
}

TEST_P(RuntimeContract, VerbsAreIdempotent) {
  const SandboxConfig pod = Pod("twice");
  const auto sandbox = RunSandbox(pod);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  const auto again = RunSandbox(pod);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(*again, *sandbox);

  ContainerConfig config = world_->Program("run");
  config.name = "main";
  const auto container = Create(*sandbox, pod, config);
  ASSERT_TRUE(container.ok()) << container.status().ToString();
  const auto same = Create(*sandbox, pod, config);
  ASSERT_TRUE(same.ok()) << same.status().ToString();
  EXPECT_EQ(*same, *container);

  std::string said;
  const auto say = [&said](const char* what, const base::Status& status) {
    said += std::string(what) + " " + status.ToString() + "\n";
  };
  for (int i = 0; i < 2; ++i) say("start", Start(*container));
  for (int i = 0; i < 2; ++i) say("stop", Stop(*container, kLongGrace));
  say("start", Start(*container));
  for (int i = 0; i < 2; ++i) {
    say("remove", Do([&](auto done) { runtime().RemoveContainer(*container, done); }));
  }
  say("stop", Stop(*container, kLongGrace));
  for (int i = 0; i < 2; ++i) {
    say("stop sandbox", Do([&](auto done) { runtime().StopSandbox(*sandbox, done); }));
  }
  for (int i = 0; i < 2; ++i) {
    say("remove sandbox", Do([&](auto done) { runtime().RemoveSandbox(*sandbox, done); }));
  }
  say("stop sandbox", Do([&](auto done) { runtime().StopSandbox(*sandbox, done); }));
  EXPECT_EQ(said,
            "start OK\nstart OK\nstop OK\nstop OK\nstart OK\nremove OK\nremove OK\nstop OK\n"
            "stop sandbox OK\nstop sandbox OK\nremove sandbox OK\nremove sandbox OK\n"
            "stop sandbox OK\n");
}

TEST_P(RuntimeContract, SandboxThatStopsKillsWhatRunsInIt) {
  const std::string container = Launch("killed", "run");
  const std::string sandbox = List().sandboxes.at(0).id;
  EXPECT_TRUE(Do([&](auto done) { runtime().StopSandbox(sandbox, done); }).ok());
  EXPECT_EQ(WaitForExit(container).exit_code, 137);
  EXPECT_FALSE(List().sandboxes.at(0).ready);
}

TEST_P(RuntimeContract, EndedSandboxIsNotRunAgainUnderTheSameAttempt) {
  SandboxConfig pod = Pod("again");
  const auto sandbox = RunSandbox(pod);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  EXPECT_TRUE(Do([&](auto done) { runtime().StopSandbox(*sandbox, done); }).ok());
  EXPECT_EQ(CodeOf(RunSandbox(pod).status()), "AlreadyExists");
  pod.attempt = 1;
  EXPECT_EQ(CodeOf(RunSandbox(pod).status()), "OK");
}

TEST_P(RuntimeContract, ImageThatIsNotThereIsNotFound) {
  const std::string here = world_->Program("run").image;
  const std::string missing = "plumb.dev/contract/missing:1";
  const auto found = Ask<std::string>([&](auto done) { runtime().FindImage(here, done); });
  EXPECT_EQ(CodeOf(found.status()), "OK");
  const auto none = Ask<std::string>([&](auto done) { runtime().FindImage(missing, done); });
  EXPECT_EQ(CodeOf(none.status()), "NotFound");

  const SandboxConfig pod = Pod("imageless");
  const auto sandbox = RunSandbox(pod);
  ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
  ContainerConfig config = world_->Program("run");
  config.name = "main";
  config.image = missing;
  EXPECT_EQ(CodeOf(Create(*sandbox, pod, config).status()), "NotFound");
}

TEST_P(RuntimeContract, RunningContainerSurvivesTheDaemon) {
  const std::string container = Launch("survivor", "run");
  const ContainerState before = StateOf(container);
  world_->StopDaemon();
  const auto away = Ask<RuntimeSnapshot>([&](auto done) { runtime().List(done); });
  EXPECT_EQ(CodeOf(away.status()), "ServiceUnavailable");

  world_->StartDaemon();
  const ContainerState after = StateOf(container);
  EXPECT_EQ(PhaseName(after.phase), std::string("running"));
  EXPECT_EQ(after.started_at, before.started_at);
  // Its end is announced by the events of the daemon that came back.
  EXPECT_EQ(Stop(container, kLongGrace).ToString(), "OK");
  EXPECT_EQ(WaitForExit(container).exit_code, 0);
}

}  // namespace nodeagent
