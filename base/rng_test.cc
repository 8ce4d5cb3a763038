#include "base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace base {
namespace {

TEST(RngTest, TheSameSeedGivesTheSameNumbersForEver) {
  // Fixed numbers: a change here breaks every recorded seed.
  Rng rng(0);
  EXPECT_EQ(rng.Next(), 0x99EC5F36CB75F2B4u);
  EXPECT_EQ(rng.Next(), 0xBF6E1F784956452Au);
  EXPECT_EQ(rng.Next(), 0x1A5F849D4933E6E0u);
}

TEST(RngTest, OtherSeedsGiveOtherNumbers) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 1000; ++seed) seen.insert(Rng(seed).Next());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RngTest, BelowIsUniformAndStaysBelow) {
  Rng rng(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) {
    const uint64_t value = rng.Below(7);
    ASSERT_LT(value, 7u);
    ++counts[value];
  }
  for (const int count : counts) {
    EXPECT_GT(count, 9'500);
    EXPECT_LT(count, 10'500);
  }
  EXPECT_EQ(rng.Below(1), 0u);
  for (int i = 0; i < 1000; ++i) ASSERT_LT(rng.Below(~0ull), ~0ull);
}

TEST(RngTest, ChanceHitsAsOftenAsItSays) {
  Rng rng(2);
  int hits = 0;
  for (int i = 0; i < 40'000; ++i) hits += rng.Chance(1, 4);
  EXPECT_GT(hits, 9'500);
  EXPECT_LT(hits, 10'500);
  EXPECT_FALSE(rng.Chance(0, 5));
  EXPECT_TRUE(rng.Chance(5, 5));
}

TEST(RngTest, UuidsAreOfVersionFourAndUnique) {
  Rng rng(4);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string uuid = rng.Uuid();
    ASSERT_EQ(uuid.size(), 36u);
    for (size_t at = 0; at < uuid.size(); ++at) {
      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      const std::string_view allowed = dash       ? "-"
                                       : at == 14 ? "4"
                                       : at == 19 ? "89ab"
                                                  : "0123456789abcdef";
      ASSERT_NE(allowed.find(uuid[at]), std::string_view::npos) << uuid;
    }
    ASSERT_TRUE(seen.insert(uuid).second);
  }
}

}  // namespace
}  // namespace base
