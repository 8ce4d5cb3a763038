// How nodes are fed: in rounds, cut into turns.
#include "nodeagent/hub/hub.h"

#include <gtest/gtest.h>

#include <set>

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
