#include "base/faults.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

// "x" for a failing call, "." for one that goes on.
std::string Calls(Faults& faults, std::string_view point, int count) {
  std::string calls;
  for (int i = 0; i < count; ++i) calls += faults.Hit(point) ? 'x' : '.';
  return calls;
}

TEST(FaultsTest, NothingFailsUnlessSet) {
  Faults faults(1);
  EXPECT_EQ(Calls(faults, "disk.write", 5), ".....");
  EXPECT_EQ(faults.hits(), 0u);
}

TEST(FaultsTest, OnceFailsTheNamedCallOnly) {
  Faults faults(1);
  faults.SetOnce("disk.write", 2);
  EXPECT_EQ(Calls(faults, "disk.read", 4), "....");
  EXPECT_EQ(Calls(faults, "disk.write", 6), "..x...");
  EXPECT_EQ(faults.hits(), 1u);
}

TEST(FaultsTest, CertainRateFailsAlwaysUntilItIsEnded) {
  Faults faults(1);
  faults.Set("disk.write", 1);
  EXPECT_EQ(Calls(faults, "disk.write", 3), "xxx");
  faults.Set("disk.write", 0);
  EXPECT_EQ(Calls(faults, "disk.write", 3), "...");
}

TEST(FaultsTest, RateFollowsTheSeed) {
  Faults one(42), same(42), other(43);
  for (Faults* faults : {&one, &same, &other}) faults->Set("net.send", 1, 4);
  const std::string calls = Calls(one, "net.send", 400);
  EXPECT_EQ(calls, Calls(same, "net.send", 400));
  EXPECT_NE(calls, Calls(other, "net.send", 400));
  EXPECT_GT(one.hits(), 60u);
  EXPECT_LT(one.hits(), 140u);
}

TEST(FaultsTest, CallsOfOtherPointsDoNotMoveAPointsFaults) {
  Faults alone(9), crowded(9);
  alone.Set("net.send", 1, 2);
  crowded.Set("net.send", 1, 2);
  std::string calls;
  for (int i = 0; i < 50; ++i) {
    crowded.Hit("disk.read");
    calls += crowded.Hit("net.send") ? 'x' : '.';
  }
  EXPECT_EQ(calls, Calls(alone, "net.send", 50));
}

TEST(FaultsTest, ClearEndsAll) {
  Faults faults(1);
  faults.Set("a", 1);
  faults.SetOnce("b");
  faults.Clear();
  EXPECT_EQ(Calls(faults, "a", 2) + Calls(faults, "b", 2), "....");
}

}  // namespace
}  // namespace base
