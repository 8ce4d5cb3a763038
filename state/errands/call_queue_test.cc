#include "state/errands/call_queue.h"

#include <gtest/gtest.h>

namespace state {
namespace {

// Who waits where, in words: Enter("a1") is errand 1 of lane a; its server is that of the lane unless
// another one is given.
class CallQueueTest : public testing::Test {
 protected:
  static Key KeyOf(const std::string& name) { return {"errands", "", name}; }
  void Enter(const std::string& names, const std::string& origin = "") {
    for (size_t at = 0; at < names.size(); at += 3) {
      const std::string name = names.substr(at, 2), lane = name.substr(0, 1);
      queue_.Enter(KeyOf(name), lane, origin.empty() ? lane : origin);
    }
  }
  // Whose turn it is, until nobody can go.
  std::string Take() {
    std::string taken;
    while (const std::optional<Key> key = queue_.Take()) {
      taken += (taken.empty() ? "" : " ") + key->name;
    }
    return taken;
  }
  void Done(const std::string& name) { queue_.Done(KeyOf(name)); }
  void Leave(const std::string& name) { queue_.Leave(KeyOf(name)); }

  CallQueue queue_;
};

TEST_F(CallQueueTest, CallsInALaneFollowEachOtherInTheOrderTheyCame) {
  Enter("a2 a1 b1");
  EXPECT_EQ(Take(), "a2 b1");
  Done("a2");
  EXPECT_EQ(Take(), "a1");
  Done("a1");
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(queue_.under_way(), 1u);
}

TEST_F(CallQueueTest, LanesTakeTurns) {
  Enter("a1 a2 b1 b2 c1 d1 e1 f1 g1 h1 i1 j1");
  EXPECT_EQ(Take(), "a1 b1 c1 d1 e1 f1 g1 h1") << "kMaxCalls";
  Done("a1");
  EXPECT_EQ(Take(), "i1") << "a has had its turn";
  Done("b1");
  EXPECT_EQ(Take(), "j1");
  Done("c1");
  EXPECT_EQ(Take(), "a2");
}

TEST_F(CallQueueTest, AServerHasHalfOfTheCallsAtMost) {
  Enter("a1 b1 c1 d1 e1 f1", "slow");
  Enter("x1 y1");
  EXPECT_EQ(Take(), "a1 b1 c1 d1 x1 y1");
  Done("x1");
  EXPECT_EQ(Take(), "");
  Done("b1");
  EXPECT_EQ(Take(), "e1");
}

TEST_F(CallQueueTest, WhoLeavesIsPassedOver) {
  Enter("a1 a2 b1");
  Leave("a1");
  Leave("b1");
  EXPECT_EQ(queue_.waiting(), 1u);
  EXPECT_EQ(Take(), "a2");
  Leave("a2");  // its call is under way
  EXPECT_EQ(queue_.under_way(), 1u);
}

TEST_F(CallQueueTest, WhoEntersAgainKeepsHisPlaceAndWhoIsUnderWayHasNone) {
  Enter("a1 a2");
  Enter("a1");
  EXPECT_EQ(Take(), "a1");
  Enter("a1");
  Done("a1");
  EXPECT_EQ(Take(), "a2");
  Done("a2");
  EXPECT_EQ(Take(), "");
}

TEST_F(CallQueueTest, WhoChangesHisLaneWaitsInTheNewOne) {
  Enter("a1 a2");
  EXPECT_EQ(Take(), "a1");
  queue_.Enter(KeyOf("a2"), "b", "b");
  EXPECT_EQ(Take(), "a2");
}

}  // namespace
}  // namespace state
