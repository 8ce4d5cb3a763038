#include "base/net/least_rate.h"

#include <gtest/gtest.h>

namespace base {
namespace {

MonotonicTime At(int64_t millis) { return MonotonicTime::FromNanos(1'000'000 * (1000 + millis)); }

TEST(LeastRateTest, EachStretchNeedsItsBytesHoweverManyCameBefore) {
  LeastRate rate;
  rate.Begin(At(0), Duration::Seconds(10));
  EXPECT_EQ(rate.deadline(), At(10'000));
  rate.Moved(10'000'000);
  EXPECT_TRUE(rate.KeepsUp(At(10'000)));
  EXPECT_EQ(rate.deadline(), At(20'000));
  rate.Moved(10 * kLeastBytesPerSecond - 1);
  EXPECT_FALSE(rate.KeepsUp(At(20'000)));
}

TEST(LeastRateTest, NothingIsAskedWithinAStretchOrOutOfTurn) {
  LeastRate rate;
  EXPECT_TRUE(rate.KeepsUp(At(0)));
  rate.Begin(At(0), Duration::Seconds(10));
  EXPECT_TRUE(rate.KeepsUp(At(9'999)));
  rate.Begin(At(5'000), Duration::Seconds(10));  // goes on
  EXPECT_EQ(rate.deadline(), At(10'000));
  rate.End();
  EXPECT_EQ(rate.deadline(), MonotonicTime());
  EXPECT_TRUE(rate.KeepsUp(At(60'000)));
  rate.Begin(At(60'000), Duration::Seconds(10));
  EXPECT_EQ(rate.deadline(), At(70'000));
}

}  // namespace
}  // namespace base
