#include "nodeagent/session/node_reporter.h"

#include <gtest/gtest.h>

#include "base/testing/sim_loop.h"
#include "nodeagent/testing/fake_runtime.h"
#include "nodeagent/testing/memory_view_cache.h"
#include "nodeagent/testing/sim_network.h"

namespace nodeagent {
namespace {

constexpr base::Duration kOneSecond = base::Duration::Seconds(1);

// An agent and what the control plane hears of its node: "Ready=True since 12:00:00" a line.
class NodeReporterTest : public testing::Test {
 protected:
  NodeReporterTest() {
    network_.Listen([this](std::unique_ptr<FrameChannel> channel) {
      channel_ = std::move(channel);
      channel_->OnFrame([this](const Frame& frame) {
        if (std::get_if<Hello>(&frame)) {
          channel_->Send(Welcome{"e", base::Duration::Seconds(10), base::Duration::Seconds(40)});
        }
        if (std::get_if<Heartbeat>(&frame)) channel_->Send(Heartbeat{});
        if (const auto* node = std::get_if<NodeStatus>(&frame)) Hear(*node);
      });
      channel_->OnClosed([](base::Status) {});
      channel_->OnDrained([] {});
    });
  }
  void Hear(const NodeStatus& report) {
    for (const base::Value condition : report.status.root()["conditions"].Elements()) {
      if (condition["type"].AsString() != "Ready") continue;
      heard_ += std::string(condition["status"].AsString()) + " since " +
                std::string(condition["lastTransitionTime"].AsString().substr(11, 8)) + "; ";
    }
  }
  void StartAgent() {
    reporter_.reset();
    session_ = std::make_unique<AgentSession>(loop_, *dialer_, cache_, AgentOptions{"n1", "v", 1});
    reporter_ = std::make_unique<NodeReporter>(loop_, *session_, [] {
      Machine machine;
      machine.name = "n1";
      return machine;
    });
    session_->Start();
    reporter_->Start();
  }
  // The View on the agent's disk: it was ready when it ended.
  void Cache(std::string_view ready_since) {
    base::Json node = BuildNode(Machine{.name = "n1"});
    node["status"] = BuildNodeStatus(Machine{.name = "n1"}, {},
                                     *base::WallTime::Parse(std::string(ready_since)));
    state::View view;
    view.Put(std::make_shared<state::Object>(
        state::Object{{"nodes", "", "n1"}, 1, base::Document(node)}));
    cache_->saved = CachedView{"e", view};
  }

  base::SimLoop loop_{1, *base::WallTime::Parse("2026-01-01T12:00:00Z")};
  base::Faults faults_{1};
  FakeRuntime runtime_{loop_, faults_};
  SimNetwork network_{loop_, 1};
  const std::unique_ptr<FrameDialer> dialer_ = network_.Dialer("n1");
  const std::shared_ptr<MemoryViewCache> cache_ = std::make_shared<MemoryViewCache>();
  std::unique_ptr<FrameChannel> channel_;
  std::unique_ptr<AgentSession> session_;
  std::unique_ptr<NodeReporter> reporter_;
  std::string heard_;
};

TEST_F(NodeReporterTest, ANewNodeSaysAtOnceThatItIsThereAndThenThatItIsReady) {
  StartAgent();
  loop_.RunFor(kOneSecond);
  EXPECT_EQ(heard_, "False since 12:00:00; ");
  reporter_->Watch(runtime_);
  loop_.RunFor(kOneSecond);
  EXPECT_EQ(heard_, "False since 12:00:00; True since 12:00:01; ");
}

TEST_F(NodeReporterTest, ARestartOfTheAgentDoesNotMakeTheNodeUnready) {
  Cache("2026-01-01T10:00:00Z");
  StartAgent();
  loop_.RunFor(kOneSecond * 5);
  EXPECT_EQ(heard_, "");
  reporter_->Watch(runtime_);
  loop_.RunFor(kOneSecond);
  EXPECT_EQ(heard_, "True since 10:00:00; ");
}

TEST_F(NodeReporterTest, ARuntimeThatDoesNotComeBackIsToldAfterAWhile) {
  Cache("2026-01-01T10:00:00Z");
  StartAgent();
  runtime_.SetNotReady("no network");
  reporter_->Watch(runtime_);
  loop_.RunFor(kRuntimeWait + kOneSecond);
  EXPECT_EQ(heard_, "False since 12:00:30; ");
}

TEST_F(NodeReporterTest, ARuntimeThatEndsIsToldAndSoIsItsReturn) {
  Cache("2026-01-01T10:00:00Z");
  StartAgent();
  reporter_->Watch(runtime_);
  loop_.RunFor(kOneSecond);
  heard_.clear();
  runtime_.SetDown(true);
  loop_.RunFor(kOneSecond * 11);
  runtime_.SetDown(false);
  loop_.RunFor(kOneSecond);
  EXPECT_EQ(heard_, "False since 12:00:10; True since 12:00:12; ");
}

TEST_F(NodeReporterTest, OnceAMinuteItReportsAnyway) {
  Cache("2026-01-01T10:00:00Z");
  StartAgent();
  reporter_->Watch(runtime_);
  loop_.RunFor(kNodeReportPeriod * 2 + kOneSecond);
  EXPECT_EQ(heard_, "True since 10:00:00; True since 10:00:00; True since 10:00:00; ");
}

}  // namespace
}  // namespace nodeagent
