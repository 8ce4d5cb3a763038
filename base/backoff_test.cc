#include "base/backoff.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace base {
namespace {

std::string Waits(Backoff backoff, int count) {
  std::string waits;
  for (int i = 0; i < count; ++i) waits += backoff.Next().ToString() + " ";
  return waits;
}

TEST(BackoffTest, GrowsFromTheFirstToTheMost) {
  EXPECT_EQ(Waits(Backoff(Duration::Seconds(1), Duration::Seconds(10)), 6), "1s 2s 4s 8s 10s 10s ");
  EXPECT_EQ(Waits(Backoff(Duration::Seconds(5), Duration::Minutes(2), 3), 5), "5s 15s 45s 2m 2m ");
}

TEST(BackoffTest, ASuccessBeginsAnew) {
  Backoff backoff(Duration::Seconds(1), Duration::Seconds(10));
  backoff.Next();
  backoff.Next();
  EXPECT_EQ(backoff.failures(), 2u);
  backoff.Reset();
  EXPECT_EQ(backoff.failures(), 0u);
  EXPECT_EQ(backoff.Next(), Duration::Seconds(1));
}

TEST(BackoffTest, IsNeverLongerThanTheMostHoweverManyFailures) {
  const Backoff backoff(Duration::Hours(1), Duration::Hours(1000), 1000);
  EXPECT_EQ(backoff.After(2), Duration::Hours(1000));
  EXPECT_EQ(backoff.After(std::numeric_limits<uint32_t>::max()), Duration::Hours(1000));
  EXPECT_EQ(Backoff(Duration::Seconds(9), Duration::Seconds(3)).After(1), Duration::Seconds(3));
}

}  // namespace
}  // namespace base
