// How nodes are fed: in rounds, cut into turns.
#include "nodeagent/hub/hub.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nodeagent/testing/session_test.h"

namespace nodeagent {
namespace {

TEST_F(SessionTest, ALargeCommitIsFedInManyTurns) {
  constexpr int kServices = 5000, kLeastPieces = kServices / 1000;
  AgentSession& one = StartAgent("n1");
  AgentSession& two = StartAgent("n2");
  cluster_.Settle();
  cluster_.loop.set_pieces_a_turn(1);
  size_t most = 0, turns = 0;  // of one instant
  base::MonotonicTime instant;
  cluster_.loop.OnTurn([&] {
    const base::MonotonicTime now = cluster_.loop.now().monotonic;
    turns = now == std::exchange(instant, now) ? turns + 1 : 1;
    most = std::max(most, turns);
  });
  CommitServices(kServices);
  cluster_.Settle(kLong);
  cluster_.loop.OnTurn(nullptr);
  EXPECT_GE(most, kLeastPieces + 2u) << "some changes a turn, then one node a turn";
  EXPECT_EQ(Held(one), Needed("n1"));
  EXPECT_EQ(Held(two), Needed("n2"));
}

TEST_F(SessionTest, ChannelsThatSayNothingEnd) {
  const std::unique_ptr<FrameDialer> dialer = network_.Dialer("n2");
  std::vector<std::unique_ptr<FrameChannel>> silent;
  size_t closed = 0;
  for (size_t i = 0; i < kMaxSilentOfNode + 3; ++i) {
    silent.push_back(dialer->Connect());
    silent.back()->OnClosed([&](const base::Status&) { ++closed; });
  }
  cluster_.Settle(base::Duration::Seconds(1));
  EXPECT_EQ(closed, 3u) << "of one node";
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle(kFirstFrameTimeout + base::Duration::Seconds(11));
  EXPECT_EQ(closed, silent.size());
  EXPECT_EQ(Held(agent), Needed("n1")) << "who has said Hello stays";
  EXPECT_TRUE(hub_->IsConnected("n1"));
}

// What a node hears is never a part of a transaction, however the feed was cut.
TEST_F(SessionTest, ANodesViewsAreWholeTransactions) {
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  std::set<size_t> seen;
  cluster_.loop.set_pieces_a_turn(1);
  cluster_.loop.OnTurn([&] { seen.insert(ServicesOf(agent)); });
  for (const char* prefix : {"a", "b", "c"}) {
    CommitServices(700, prefix);
    cluster_.Settle(base::Duration::Millis(20));
  }
  cluster_.Settle(kLong);
  cluster_.loop.OnTurn(nullptr);
  for (const size_t count : seen) EXPECT_EQ(count % 700, 0u) << count;
  EXPECT_EQ(*seen.rbegin(), 2100u);
}

// Turns take time, so that nodes fall behind while others are told.
class RoundsTest : public SessionTest {
 protected:
  static constexpr int kPiecesBehind = 2;  // of changes to route, from one node to the next
  static constexpr int kChangesAPiece = 200;

  void SetUp() override {
    network_.set_delay(base::Duration());
    cluster_.loop.set_offload_delay(base::Duration());
    StartAgent("n1");
    cluster_.Settle();
  }
  static std::string Far(int i) { return "far" + std::to_string(i); }
  // Nodes that are away, each further behind than the next.
  void LeaveBehind(int count) {
    for (int i = 0; i < count; ++i) {
      cluster_.AddNode(Far(i));
      StartAgent(Far(i));
    }
    cluster_.Settle();
    for (int i = 0; i < count; ++i) {
      StopAgent(Far(i));
      CommitServices(kPiecesBehind * kChangesAPiece, "behind" + std::to_string(i) + "-");
      cluster_.Settle();
    }
    cluster_.loop.set_pieces_a_turn(1);
    cluster_.loop.set_turn_length(base::Duration::Millis(1));
  }
  bool Has(const AgentSession& agent, const std::string& service) {
    return agent.view().Get("services", "default", service) != nullptr;
  }
};

TEST_F(RoundsTest, ANodeThatKeepsUpWaitsForOneOfThoseFarBehind) {
  constexpr int kFar = 6;
  LeaveBehind(kFar);
  std::vector<AgentSession*> far;
  for (int i = 0; i < kFar; ++i) far.push_back(&StartAgent(Far(i)));
  cluster_.Settle(base::Duration::Millis(5));
  const AgentSession& near = *agents_["n1"].session;
  const size_t services = ServicesOf(near);
  const auto caught_up = [&] {
    return std::count_if(far.begin(), far.end(),
                         [&](const AgentSession* each) { return ServicesOf(*each) >= services; });
  };
  const auto before = caught_up();
  ASSERT_LT(before, kFar - 4);
  CommitServices(1, "new");
  ASSERT_TRUE(cluster_.loop.RunUntil([&] { return Has(near, "new0"); }, kLong));
  EXPECT_LE(caught_up() - before, 2) << "the one whose round it was, and one more";
  ASSERT_TRUE(cluster_.loop.RunUntil([&] { return caught_up() == kFar; }, kLong));
}

TEST_F(RoundsTest, ANodeFarBehindIsToldWhileOthersNeverRest) {
  LeaveBehind(1);
  const AgentSession& near = *agents_["n1"].session;
  const size_t services = ServicesOf(near);
  // Faster than it is told: there is always one who is nearer.
  int made = 0;
  const std::function<void()> commit = [&] {
    CommitServices(1, "s" + std::to_string(++made) + "-");
    cluster_.loop.After(base::Duration::Millis(1), commit);
  };
  commit();
  cluster_.Settle(base::Duration::Millis(20));
  const AgentSession& far = StartAgent(Far(0));
  EXPECT_TRUE(cluster_.loop.RunUntil([&] { return ServicesOf(far) >= services; },
                                     base::Duration::Seconds(1)));
  EXPECT_FALSE(Has(near, "s" + std::to_string(made) + "-0"));
}

class SmallWindowTest : public SessionTest {
 protected:
  SmallWindowTest() : SessionTest(1, 1000) {}
};

TEST_F(SmallWindowTest, ANodeThatFellBehindTheLogIsToldAllAgain) {
  AgentSession& agent = StartAgent("n1");
  cluster_.Settle();
  resets_ = 0;
  network_.Partition("n1");
  CommitServices(4000, "a");  // more than the network takes without an answer
  cluster_.Settle();
  CommitServices(4000, "b");
  cluster_.Settle();
  cluster_.Apply(Service("last"));
  cluster_.Settle();
  EXPECT_EQ(ServicesOf(agent), 0u);
  network_.Heal("n1");
  cluster_.Settle(kLong);
  EXPECT_GT(resets_, 0u);
  EXPECT_EQ(Held(agent), Needed("n1"));
}

}  // namespace
}  // namespace nodeagent
