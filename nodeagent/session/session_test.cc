#include "nodeagent/testing/session_test.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "base/log.h"
#include "nodeagent/hub/agent_writes.h"

namespace nodeagent {
namespace {

TEST_F(SessionTest, NodeIsToldItsPodsWhatTheyNameAndAllServices) {
  cluster_.Apply(Config("used", "1"));
  cluster_.Apply(Config("unused", "1"));
  cluster_.Apply(Service("web"));
  cluster_.Apply(Pod("a", "used"));
  cluster_.Apply(Pod("b", "unused"));
  cluster_.Bind("default", "a", "n1");
  cluster_.Bind("default", "b", "n2");
  cluster_.Settle();
  AgentSession& agent = StartAgent("n1");
  EXPECT_FALSE(agent.complete());
  cluster_.Settle();
  EXPECT_TRUE(agent.complete());
  EXPECT_EQ(Told(),
            "nodes n1, nodes n2, pods default/a, configmaps default/used, services default/web");
}

TEST_F(SessionTest, PodBringsWhatItNamesAndTakesItAlong) {
  cluster_.Apply(Config("c", "1"));
  StartAgent("n1");
  cluster_.Settle();
  Told();
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  cluster_.Settle();
  EXPECT_EQ(Told(), "configmaps default/c, pods default/a");
  cluster_.Delete("pods", "default", "a", {.grace_period_seconds = 0});
  cluster_.Settle();
  EXPECT_EQ(Told(), "-configmaps default/c, -pods default/a");
  cluster_.Apply(Config("c", "2"));
  cluster_.Settle();
  EXPECT_EQ(Told(), "");
}

TEST_F(SessionTest, ResumeSendsOnlyTheDifference) {
  cluster_.Apply(Config("c", "1"));
  cluster_.Apply(Config("d", "1"));
  for (int i = 0; i < 50; ++i) cluster_.Apply(Service("s" + std::to_string(i)));
  cluster_.Apply(Pod("a", "c"));
  cluster_.Apply(Pod("b", "d"));
  for (const char* pod : {"a", "b"}) cluster_.Bind("default", pod, "n1");
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  StopServer();
  cluster_.Apply(Service("s7", "b"));
  cluster_.Delete("services", "default", "s8");
  cluster_.Delete("pods", "default", "a", {.grace_period_seconds = 0});
  cluster_.Settle();
  Told();
  chunks_ = resets_ = 0;
  StartServer();
  cluster_.Settle(kLong);
  EXPECT_EQ(Told(),
            "services default/s7, -configmaps default/c, -pods default/a, "
            "-services default/s8");
  EXPECT_EQ(chunks_, 1u);
  EXPECT_EQ(resets_, 0u);
  EXPECT_EQ(Held(agent), Needed("n1"));
}

TEST_F(SessionTest, RestartedAgentKnowsItsViewBeforeItIsConnected) {
  cluster_.Apply(Service("web"));
  StartAgent("n1");
  cluster_.Settle(kLong);
  StopAgent("n1");
  StopServer();
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  EXPECT_TRUE(agent.complete());
  EXPECT_EQ(Held(agent), Needed("n1"));
  resets_ = 0;
  StartServer();
  cluster_.Settle(kLong);
  EXPECT_TRUE(agent.connected());
  EXPECT_EQ(resets_, 0u);
}

TEST_F(SessionTest, PartitionNeverMakesAnAgentDropItsView) {
  cluster_.Apply(Service("web"));
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  const std::string before = Held(agent);
  network_.Partition("n1");
  cluster_.Delete("services", "default", "web");
  cluster_.Settle(base::Duration::Minutes(10));
  EXPECT_FALSE(agent.connected());
  EXPECT_EQ(Held(agent), before);
  EXPECT_TRUE(agent.complete());
  network_.Heal("n1");
  cluster_.Settle(kLong);
  EXPECT_EQ(Held(agent), Needed("n1"));
}

TEST_F(SessionTest, LargeFirstTransferIsCutIntoBoundedFrames) {
  CommitServices(10'000);
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle(kLong);
  EXPECT_EQ(Held(agent), Needed("n1"));
  EXPECT_GT(chunks_, 10u);
  EXPECT_EQ(resets_, 1u);
  EXPECT_LE(largest_chunk_, kMaxChunkBytes + (64u << 10)) << "documents plus their keys";
}

TEST_F(SessionTest, NewestStatusArrivesOnceAndIsAcknowledged) {
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  AgentSession& agent = StartAgent("n1");
  agent.ReportPod(PodKey("a"), Uid("a"), Status("Pending"));
  agent.ReportPod(PodKey("a"), Uid("a"), Status("Running"));
  EXPECT_EQ(agent.reports_waiting(), 1u);
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("pods", "default", "a", "status.phase"), "\"Running\"");
  EXPECT_EQ(agent.reports_waiting(), 0u);
}

TEST_F(SessionTest, StatusOfAPartitionedNodeArrivesWhenItIsBack) {
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  network_.Partition("n1");
  agent.ReportPod(PodKey("a"), Uid("a"), Status("Failed"));
  cluster_.Settle(kLong);
  EXPECT_EQ(cluster_.Field("nodes", "", "n1", "status.conditions[0].status"), "\"Unknown\"");
  EXPECT_FALSE(hub_->IsLive("n1"));
  network_.Heal("n1");
  cluster_.Settle(kLong);
  EXPECT_EQ(cluster_.Field("pods", "default", "a", "status.phase"), "\"Failed\"");
}

TEST_F(SessionTest, StatusThatTheControlPlaneWroteMeanwhileIsPutRight) {
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  AgentSession& agent = StartAgent("n1");
  agent.ReportPod(PodKey("a"), Uid("a"), Status("Running"));
  cluster_.Settle();
  network_.Partition("n1");
  cluster_.SetStatus("pods", "default", "a", "phase: Unknown");
  cluster_.Settle(kLong);
  network_.Heal("n1");
  cluster_.Settle(kLong);
  EXPECT_EQ(cluster_.Field("pods", "default", "a", "status.phase"), "\"Running\"");
}

TEST_F(SessionTest, NodeMayWriteItsOwnPodsOnly) {
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n2");
  AgentSession& agent = StartAgent("n1");
  agent.ReportPod(PodKey("a"), Uid("a"), Status("Failed"));
  agent.ReportGone(PodKey("a"), Uid("a"));
  agent.ReportPod({"nodes", "", "n2"}, "", Status("Failed"));
  cluster_.Settle();
  EXPECT_NE(cluster_.Field("pods", "default", "a", "status.phase"), "\"Failed\"");
  EXPECT_EQ(agent.reports_waiting(), 0u) << "refused for good";
}

TEST_F(SessionTest, GoneCompletesADeletionThatWasBegunAndNoOther) {
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  AgentSession& agent = StartAgent("n1");
  agent.ReportGone(PodKey("a"), Uid("a"));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("pods"), "default/a");
  cluster_.Delete("pods", "default", "a");
  agent.ReportGone(PodKey("a"), "another-uid");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("pods"), "default/a");
  agent.ReportGone(PodKey("a"), Uid("a"));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("pods"), "");
}

TEST_F(SessionTest, NodeMakesItselfWithoutLabelsOfTrust) {
  AgentSession& agent = StartAgent("n3");
  agent.ReportNode({{"kubernetes.io/os", "linux"},
                    {"disk", "ssd"},
                    {"node-restriction.kubernetes.io/team", "x"},
                    {"node-role.kubernetes.io/control-plane", ""}},
                   base::Json::MakeObject({{"phase", "Running"}}));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("nodes", "", "n3", "metadata.labels"),
            R"({"disk":"ssd","kubernetes.io/os":"linux"})");
  EXPECT_EQ(cluster_.Field("nodes", "", "n3", "status.phase"), "\"Running\"");
}

std::vector<std::string> refusals;  // as the log has them

void KeepRefusals(base::LogLevel, std::string_view message,
                  std::initializer_list<base::LogField> fields) {
  if (message == "report refused") refusals.push_back(std::data(fields)[1].value);
}

TEST_F(SessionTest, WhatIsWrongInAStatusIsLeftOutAndSaidOnce) {
  refusals.clear();
  base::SetLogSink(&KeepRefusals);
  AgentSession& agent = StartAgent("n1");
  const base::Json garbage = *base::ParseJson(
      R"({"allocatable":{"cpu":"x","memory":"1Gi"},"phase":"Running","invented":1,"addresses":"none",
          "conditions":[{"type":"Ready","status":"True"},{"type":"DiskPressure","status":7}]})");
  for (int i = 0; i < 3; ++i) {
    agent.ReportNode({}, garbage);
    cluster_.Settle();
  }
  base::SetLogSink(nullptr);
  EXPECT_EQ(cluster_.Field("nodes", "", "n1", "status"),
            R"({"allocatable":{"memory":"1Gi"},"conditions":[{"status":"True","type":"Ready"}],)"
            R"("phase":"Running"})");
  ASSERT_EQ(refusals.size(), 1u);
  for (const char* field : {"status.allocatable[cpu]", "status.addresses", "status.conditions[1]"})
    EXPECT_NE(refusals[0].find(field), std::string::npos) << refusals[0];
  EXPECT_EQ(cluster_.Try("{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {a: b}}, "
                         "spec: {unschedulable: true}}"),
            "OK");
}

TEST_F(SessionTest, WhatIsWrongInAPodsStatusIsLeftOut) {
  cluster_.Apply(Config("c", "1"));
  cluster_.Apply(Pod("a", "c"));
  cluster_.Bind("default", "a", "n1");
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  agent.ReportPod(PodKey("a"), Uid("a"), *base::ParseJson(R"({"phase":1,"podIP":"10.88.1.2"})"));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("pods", "default", "a", "status.phase"), "absent");
  EXPECT_EQ(cluster_.Field("pods", "default", "a", "status.podIP"), "\"10.88.1.2\"");
}

TEST_F(SessionTest, LeaseIsRenewedWithTheNextReportOnceTheWallClockWasSet) {
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  cluster_.loop.JumpWallClock(base::Duration::Minutes(5));
  agent.ReportNode({}, Status("any"));
  cluster_.Settle();
  const std::string renewed =
      cluster_.Field("leases.coordination.k8s.io", "kube-node-lease", "n1", "spec.renewTime");
  const base::Result<base::WallTime> time =
      base::WallTime::Parse(renewed.substr(1, renewed.size() - 2));
  ASSERT_TRUE(time.ok()) << renewed;
  EXPECT_LT(cluster_.loop.now().wall - *time, base::Duration::Seconds(2));
}

TEST_F(SessionTest, LeaseIsWrittenOnceAMinuteAndOnReconnect) {
  StartAgent("n1");
  cluster_.Settle(base::Duration::Seconds(5));
  const state::Revision first = cluster_.store().revision();
  cluster_.Settle(base::Duration::Seconds(300));
  EXPECT_EQ(cluster_.store().revision() - first, 5u) << "nothing but the lease";
  EXPECT_EQ(cluster_.Field("leases.coordination.k8s.io", "kube-node-lease", "n1",
                           "spec.leaseDurationSeconds"),
            "100");
  const state::Revision before = cluster_.store().revision();
  network_.Break("n1");
  cluster_.Settle(base::Duration::Seconds(2));
  EXPECT_EQ(cluster_.store().revision() - before, 1u);
}

TEST_F(SessionTest, ProgrammedByAllWaitsForEveryLiveNodeAndNotForTheDead) {
  AgentSession& one = StartAgent("n1");
  AgentSession& two = StartAgent("n2");
  cluster_.Settle();
  one.ReportProgrammed(4);
  two.ReportProgrammed(2);
  cluster_.Settle();
  EXPECT_EQ(hub_->programmed_by_all(), 2u);
  EXPECT_EQ(one.programmed_all(), 2u);
  StopAgent("n2");
  cluster_.Settle();
  EXPECT_EQ(hub_->programmed_by_all(), 2u) << "its rules still route";
  cluster_.Settle(kLong);
  EXPECT_EQ(hub_->programmed_by_all(), 4u);
  EXPECT_EQ(one.programmed_all(), 4u);
}

// An agent may wait until all have come to the View without the slice, and theirs stands still.
TEST_F(SessionTest, WhatNothingNewConcernsIsToldHowFarItIsOnceASliceIsGone) {
  AgentSession& one = StartAgent("n1");
  StartAgent("n2");
  const std::string slice =
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web}\n"
      "addressType: IPv4\nendpoints: []\n";
  cluster_.Apply(slice);
  cluster_.Settle();
  cluster_.Delete("endpointslices.discovery.k8s.io", "default", "web");
  cluster_.Settle();
  cluster_.Apply(Config("unrelated", "1"));
  const state::Revision last = cluster_.store().revision();
  cluster_.Settle(base::Duration::Millis(500));
  EXPECT_LT(one.view().revision(), last);
  cluster_.Settle(kProgressWait);
  EXPECT_GE(one.view().revision(), last);
}

// Streams: the node keeps its ends in `at_node_`, the control plane in `ends_`.
class StreamTest : public SessionTest {
 protected:
  StreamTest() {
    StartAgent("n1").OnOpenStream(
        [this](const state::StreamRequest& request, std::unique_ptr<base::Duplex> stream) {
          asked_ += std::get<state::LogRequest>(request).container + " ";
          at_node_.push_back(std::move(stream));
          Listen(*at_node_.back(), heard_at_node_);
        });
    cluster_.Settle();
  }
  ~StreamTest() override { ends_.clear(); }

  static void Listen(base::Duplex& stream, std::string& heard) {
    stream.Listen(
        {.bytes = [&heard](std::string_view bytes) { heard += bytes; },
         .finished = [&heard](const base::Status& s) { heard += "|finished " + s.ToString(); },
         .closed = [&heard](const base::Status& s) { heard += "|closed " + s.ToString(); }});
  }
  base::Duplex& Open(const std::string& node, const std::string& container = "c") {
    ends_.push_back(
        hub_->Open(node, state::LogRequest{.pod = PodKey("a"), .container = container}));
    Listen(*ends_.back(), heard_);
    return *ends_.back();
  }

  std::vector<std::unique_ptr<base::Duplex>> ends_, at_node_;
  std::string asked_, heard_, heard_at_node_;
};

TEST_F(StreamTest, BytesPassBothWaysAndEachSideFinishes) {
  base::Duplex& end = Open("n1");
  end.Write("early, ");
  cluster_.Settle();
  ASSERT_EQ(at_node_.size(), 1u);
  end.Write("down");
  at_node_[0]->Write("up");
  at_node_[0]->Finish(base::Status(base::Code::kNotFound, "no more"));
  at_node_[0]->Write("late");
  cluster_.Settle();
  EXPECT_EQ(asked_ + heard_, "c up|finished NotFound: no more");
  EXPECT_EQ(heard_at_node_, "early, down");
  end.Finish();
  cluster_.Settle();
  EXPECT_EQ(heard_, "up|finished NotFound: no more|closed OK");
  ends_.clear();
  cluster_.Settle();
  EXPECT_EQ(heard_at_node_, "early, down|finished OK|closed OK");
}

TEST_F(StreamTest, AReaderThatPausesHoldsTheNodeBack) {
  constexpr size_t kMuch = 2u << 20;
  base::Duplex& end = Open("n1");
  cluster_.Settle();
  end.SetPaused(true);
  size_t on_the_wire = 0;
  network_.OnArrival([&](const std::string&, bool, const Frame& frame) {
    if (const auto* data = std::get_if<StreamData>(&frame)) on_the_wire += data->bytes.size();
  });
  at_node_[0]->Write(std::string(kMuch, 'x'));
  cluster_.Settle();
  EXPECT_EQ(on_the_wire, kStreamWindowBytes);
  EXPECT_EQ(at_node_[0]->Backlog(), kMuch - kStreamWindowBytes);
  EXPECT_EQ(heard_, "");
  // Nobody else waits for it.
  Open("n1", "d");
  cluster_.Settle();
  at_node_[1]->Write("other");
  cluster_.Settle();
  EXPECT_EQ(heard_, "other");
  heard_.clear();
  end.SetPaused(false);
  cluster_.Settle();
  EXPECT_EQ(heard_.size(), kMuch);
  EXPECT_EQ(at_node_[0]->Backlog(), 0u);
}

TEST_F(StreamTest, MoreThanTheBacklogBreaksIt) {
  Open("n1");
  cluster_.Settle();
  at_node_[0]->Write(std::string(base::kMaxDuplexBacklog + 1, 'x'));
  cluster_.Settle();
  EXPECT_EQ(heard_at_node_, "|closed RequestEntityTooLarge: the peer does not read");
}

TEST_F(StreamTest, AnotherNodeCannotTakeAStream) {
  std::optional<StreamOpen> open;
  network_.OnArrival([&](const std::string&, bool at_node, const Frame& frame) {
    const auto* asked = std::get_if<StreamOpen>(&frame);
    if (at_node && asked) open = *asked;
  });
  StopAgent("n1");
  auto mine = network_.Dialer("n1");
  auto control = mine->Connect();
  control->OnFrame([](const Frame&) {});
  control->OnClosed([](const base::Status&) {});
  control->OnDrained([] {});
  control->Send(Hello{"n1", "test", "", 0});
  cluster_.Settle();
  Open("n1");
  cluster_.Settle();
  ASSERT_TRUE(open);
  std::string outcomes;
  const auto try_as = [&](const std::string& node, uint64_t secret) {
    auto dialer = network_.Dialer(node);
    auto channel = dialer->OpenStream();
    channel->OnFrame([](const Frame&) {});
    channel->OnClosed([&](const base::Status&) { outcomes += "refused "; });
    channel->Send(StreamHello{open->id, secret});
    channel->Send(StreamData{"hello"});
    cluster_.Settle();
    return channel;
  };
  try_as("n2", open->secret);
  try_as("n1", open->secret + 2);
  EXPECT_EQ(outcomes, "refused refused ");
  const auto taken = try_as("n1", open->secret);
  EXPECT_EQ(outcomes + heard_, "refused refused hello");
  try_as("n1", open->secret);
  EXPECT_EQ(outcomes, "refused refused refused ") << "a secret is good for one stream";
  // Who sends beyond its credit is hung up on.
  ends_.back()->SetPaused(true);
  heard_.clear();
  for (size_t sent = 0; sent <= kStreamWindowBytes; sent += kMaxStreamChunkBytes) {
    taken->Send(StreamData{std::string(kMaxStreamChunkBytes, 'x')});
  }
  cluster_.Settle();
  EXPECT_EQ(heard_, "|closed RequestEntityTooLarge: the peer sent more than it may");
}

TEST_F(StreamTest, WhatGoesWrongIsTheStreamsEnd) {
  Open("n2");
  EXPECT_EQ(heard_, "") << "never from within Open";
  cluster_.Settle();
  EXPECT_EQ(heard_,
            "|closed ServiceUnavailable: node n2 is not connected; try again when it is back");
  heard_.clear();
  Open("n1");
  cluster_.Settle();
  network_.Break("n1");
  cluster_.Settle();
  EXPECT_EQ(heard_, "|closed ServiceUnavailable: the connection to node n1 broke; ask again");
  EXPECT_NE(heard_at_node_.find("|closed ServiceUnavailable"), std::string::npos);
  cluster_.Settle(kLong);
  heard_.clear();
  ends_.clear();
  heard_at_node_.clear();
  Open("n1");
  cluster_.Settle();
  ends_.clear();
  cluster_.Settle();
  EXPECT_NE(heard_at_node_.find("|closed"), std::string::npos) << "the node hears the hang-up";
}

TEST_F(StreamTest, ANodeMayHaveSoManyStreams) {
  for (size_t i = 0; i < kMaxStreamsPerNode; ++i) Open("n1");
  cluster_.Settle();
  EXPECT_EQ(at_node_.size(), kMaxStreamsPerNode);
  EXPECT_EQ(heard_, "");
  Open("n1");
  cluster_.Settle();
  EXPECT_EQ(heard_,
            "|closed TooManyRequests: node n1 serves 256 streams, as many as it may; close "
            "some");
}

// An agent that knows no streams of their own answers on its control channel.
TEST_F(StreamTest, AnOlderAgentsLogsAreUnderstood) {
  StopAgent("n1");
  auto dialer = network_.Dialer("n1");
  auto control = dialer->Connect();
  std::string closed;
  control->OnFrame([&](const Frame& frame) {
    if (const auto* open = std::get_if<StreamOpen>(&frame)) {
      control->Send(StreamChunk{open->id, "one ", false, {}});
      control->Send(StreamChunk{open->id, "two", false, {}});
      control->Send(StreamChunk{open->id, "", true, {}});
    }
    if (std::get_if<StreamClose>(&frame)) closed += "closed ";
  });
  control->OnClosed([](const base::Status&) {});
  control->OnDrained([] {});
  control->Send(Hello{"n1", "0.1", "", 0});
  cluster_.Settle();
  Open("n1");
  cluster_.Settle();
  EXPECT_EQ(heard_, "one two|finished OK");
  ends_.clear();
  cluster_.Settle();
  EXPECT_EQ(closed, "closed ");
}

TEST_F(StreamTest, AnAgentThatDoesNotAnswerIsNotWaitedForLong) {
  StopAgent("n1");
  auto dialer = network_.Dialer("n1");
  auto control = dialer->Connect();
  control->OnFrame([](const Frame&) {});
  control->OnClosed([](const base::Status&) {});
  control->OnDrained([] {});
  control->Send(Hello{"n1", "0.1", "", 0});
  cluster_.Settle();
  Open("n1");
  cluster_.Settle(kStreamOpenTimeout + base::Duration::Seconds(1));
  EXPECT_TRUE(heard_.starts_with("|closed Timeout: node n1 did not open the stream")) << heard_;
}

TEST_F(SessionTest, FrameOfAnotherNodeEndsTheConnection) {
  auto dialer = network_.Dialer("n2");
  std::string why;
  auto channel = dialer->Connect();
  channel->OnFrame([](Frame) { FAIL() << "it was let in"; });
  channel->OnClosed([&](const base::Status& status) { why = status.ToString(); });
  channel->Send(Hello{"n1", "test", "", 0});
  cluster_.Settle();
  EXPECT_NE(why, "");
  EXPECT_FALSE(hub_->IsConnected("n1"));
}

class SessionFaults : public SessionTest, public testing::WithParamInterface<uint64_t> {
 protected:
  SessionFaults() : SessionTest(GetParam()), rng_(GetParam()) {}

  void ChangeSomething() {
    const std::string n = std::to_string(rng_.Below(6));
    const std::string node = rng_.Chance(1, 2) ? "n1" : "n2";
    const bool exists = cluster_.Get("pods", "default", "p" + n) != nullptr;
    switch (rng_.Below(6)) {
      case 0: return cluster_.Apply(Config("c" + n, std::to_string(rng_.Below(100))));
      case 1: return cluster_.Apply(Service("s" + n, "v" + std::to_string(rng_.Below(100))));
      case 2:
        if (cluster_.Get("services", "default", "s" + n)) {
          cluster_.Delete("services", "default", "s" + n);
        }
        return;
      case 3:
        if (cluster_.Get("configmaps", "default", "c" + n)) {
          cluster_.Delete("configmaps", "default", "c" + n);
        }
        return;
      case 4:
        if (exists) return cluster_.Delete("pods", "default", "p" + n, {.grace_period_seconds = 0});
        cluster_.Apply(Pod("p" + n, "c" + std::to_string(rng_.Below(6))));
        return cluster_.Bind("default", "p" + n, node);
      default:
        if (!exists) return;
        const std::string of(
            (*cluster_.Get("pods", "default", "p" + n))["spec"]["nodeName"].AsString());
        const std::string phase = "message " + std::to_string(++phases_);
        if (!agents_[of].session) return;
        agents_[of].session->ReportPod(PodKey("p" + n), Uid("p" + n),
                                       base::Json::MakeObject({{"message", phase}}));
        reported_[Uid("p" + n)] = {"p" + n, phase, of};
    }
  }
  void BreakSomething() {
    const std::string node = rng_.Chance(1, 2) ? "n1" : "n2";
    switch (rng_.Below(7)) {
      case 0: return network_.Partition(node);
      case 1: return network_.Heal(node);
      case 2: return network_.Break(node);
      case 3: StopServer(); return StartServer();
      case 4:
        // Reports that were not acknowledged die with the agent: its workers report anew.
        std::erase_if(reported_, [&](const auto& each) { return each.second.node == node; });
        StopAgent(node);
        StartAgent(node);
        return;
      default: return;
    }
  }

  struct Report {
    std::string pod, phase, node;
  };
  base::Rng rng_;
  int phases_ = 0;
  std::map<std::string, Report> reported_;  // by uid
};

TEST_P(SessionFaults, ViewsConvergeAndNewestStatusesArrive) {
  StartAgent("n1");
  StartAgent("n2");
  bool ever[2] = {false, false};
  for (int step = 0; step < 300; ++step) {
    ChangeSomething();
    if (rng_.Chance(1, 5)) BreakSomething();
    cluster_.Settle(base::Duration::Millis(static_cast<int64_t>(rng_.Below(3000))));
    for (int i : {0, 1}) {
      const AgentSession& agent = *agents_[i == 0 ? "n1" : "n2"].session;
      const bool cached = agents_[i == 0 ? "n1" : "n2"].cache->saved.has_value();
      ever[i] = (ever[i] && cached) || agent.complete();
      ASSERT_EQ(agent.complete(), ever[i]) << "a View is never lost";
    }
  }
  for (const char* node : {"n1", "n2"}) network_.Heal(node);
  cluster_.Settle(kLong);
  for (const char* node : {"n1", "n2"}) {
    EXPECT_EQ(Held(*agents_[node].session), Needed(node)) << node;
    EXPECT_EQ(agents_[node].session->reports_waiting(), 0u);
  }
  for (const auto& [uid, report] : reported_) {
    if (Uid(report.pod) != uid) continue;  // another pod by now
    EXPECT_EQ(cluster_.Field("pods", "default", report.pod, "status.message"),
              "\"" + report.phase + "\"");
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SessionFaults, testing::Range<uint64_t>(1, 31));

}  // namespace
}  // namespace nodeagent
