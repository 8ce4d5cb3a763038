// Logs and commands of a node, over fakes that keep state.
#include "nodeagent/pods/pod_streams.h"

#include <gtest/gtest.h>

#include "base/net/testing/memory_duplex.h"
#include "base/testing/sim_loop.h"
#include "nodeagent/testing/fake_container_logs.h"
#include "nodeagent/testing/fake_runtime.h"

namespace nodeagent {
namespace {

class PodStreamsTest : public testing::Test {
 protected:
  PodStreamsTest() {
    node_.log_root = "/logs";
    auto pod = std::make_shared<state::Object>();
    pod->key = {"pods", "default", "web"};
    pod->document = *base::Document::Parse(
        R"({"metadata":{"name":"web","namespace":"default","uid":"u1"},"spec":{"nodeName":"n1"}})");
    view_.Put(pod);
    streams_.UseRuntime(runtime_);
  }

  // A container "main" of the pod that runs `image`.
  std::string Launch(const std::string& image, std::vector<std::string> arguments = {}) {
    runtime_.AddImage(image);
    SandboxConfig pod{.pod_uid = "u1", .pod_name = "web", .pod_namespace = "default"};
    pod.log_directory = "/logs/default_web_u1";
    ContainerConfig config{.name = "main", .image = image, .arguments = std::move(arguments)};
    config.log_path = "main/0.log";
    config.labels = {{kPodUidLabel, "u1"}};
    std::string id;
    runtime_.RunSandbox(pod, [&](base::Result<std::string> sandbox) {
      runtime_.CreateContainer(*sandbox, pod, config, [&](base::Result<std::string> container) {
        id = *container;
        runtime_.StartContainer(id, [](const base::Status& started) { CHECK(started.ok()); });
      });
    });
    loop_.RunFor(base::Duration::Seconds(1));
    return id;
  }
  base::Duplex& Open(const state::StreamRequest& request) {
    auto [ours, nodes] = base::MemoryDuplexPair(loop_);
    ours_ = std::move(ours);
    ours_->Listen({.bytes = [this](std::string_view bytes) { heard_ += bytes; },
                   .finished = [this](const base::Status& s) { heard_ += "|" + s.ToString(); }});
    streams_.Open(view_, request, std::move(nodes));
    return *ours_;
  }
  std::string After(base::Duration time) {
    loop_.RunFor(time);
    return std::exchange(heard_, {});
  }
  static state::LogRequest Log() {
    return {.pod = {"pods", "default", "web"}, .container = "main"};
  }
  static state::ExecRequest Command(std::vector<std::string> command) {
    return {.pod = {"pods", "default", "web"},
            .container = "main",
            .command = std::move(command),
            .stdin_open = true,
            .stdout_open = true,
            .stderr_open = true};
  }

  const base::Duration second_ = base::Duration::Seconds(1);
  base::SimLoop loop_{1};
  base::Faults faults_{1};
  FakeRuntime runtime_{loop_, faults_};
  FakeContainerLogs logs_{runtime_};
  NodeFacts node_;
  state::View view_;
  std::vector<std::string> running_;
  PodStreams streams_{loop_, node_, logs_, [this] { return running_; }};
  std::unique_ptr<base::Duplex> ours_;
  std::string heard_;
};

TEST_F(PodStreamsTest, ALogIsGivenOutToItsEnd) {
  Launch("print", {"one", "two", "three"});
  Open(Log());
  EXPECT_EQ(After(second_), "one\ntwo\nthree\n|OK");
  state::LogRequest last = Log();
  last.tail_lines = 1;
  Open(last);
  EXPECT_EQ(After(second_), "three\n|OK");
  state::LogRequest other = Log();
  other.container = "none";
  Open(other);
  EXPECT_EQ(After(second_), "|NotFound: the container has no log yet");
  other.pod.name = "gone";
  Open(other);
  EXPECT_EQ(After(second_), "|NotFound: the node does not know pods default/gone any more");
}

TEST_F(PodStreamsTest, AFollowedLogEndsWithItsContainer) {
  Launch("print", {"one"});
  running_ = {"/logs/default_web_u1/main/0.log"};
  state::LogRequest follow = Log();
  follow.follow = true;
  Open(follow);
  EXPECT_EQ(After(second_), "one\n");
  running_.clear();
  EXPECT_EQ(After(second_), "|OK");
}

TEST_F(PodStreamsTest, ASlowReaderOfALogHoldsTheReadingBack) {
  constexpr size_t kLineBytes = 50'000;
  constexpr size_t kLines = 60;
  Launch("print", std::vector<std::string>(kLines, std::string(kLineBytes - 1, 'x')));
  base::Duplex& stream = Open(Log());
  stream.SetPaused(true);
  EXPECT_EQ(After(base::Duration::Seconds(10)), "");
  stream.SetPaused(false);
  loop_.RunFor(second_ * 10);
  EXPECT_EQ(heard_.size(), kLineBytes * kLines + std::string("|OK").size());
}

TEST_F(PodStreamsTest, CommandsRunInTheContainerThatRuns) {
  const std::string id = Launch("run");
  Open(Command({"echo", "hello"}));
  EXPECT_EQ(After(second_),
            base::RemoteMessage(base::RemoteChannel::kStdout, "hello\n") +
                base::RemoteMessage(base::RemoteChannel::kStatus, base::RemoteExitStatus(0)) +
                "|OK");
  base::Duplex& stream = Open(Command({"cat"}));
  stream.Write(base::RemoteMessage(base::RemoteChannel::kStdin, "ping"));
  EXPECT_EQ(After(second_), base::RemoteMessage(base::RemoteChannel::kStdout, "ping"));
  Open(Command({"no-such-program"}));
  EXPECT_EQ(After(second_), "|InternalError: no program \"no-such-program\" in the image");
  runtime_.EndContainer(id, 1, "Error");
  Open(Command({"true"}));
  EXPECT_EQ(After(second_), "|NotFound: container main does not run");
}

TEST_F(PodStreamsTest, MuchOutputWaitsForItsReader) {
  Launch("run");
  base::Duplex& stream = Open(Command({"zeros", "20000000"}));
  stream.SetPaused(true);
  EXPECT_EQ(After(second_), "");
  stream.SetPaused(false);
  loop_.RunFor(second_);
  EXPECT_GT(heard_.size(), 20'000'000u);
  EXPECT_TRUE(heard_.ends_with("|OK"));
}

}  // namespace
}  // namespace nodeagent
