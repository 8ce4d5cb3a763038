#include "state/persistent_set.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/rng.h"

namespace state {
namespace {

struct IntLess {
  bool operator()(int a, int b) const { return a < b; }
};
using IntSet = PersistentSet<int, IntLess>;

std::vector<int> Values(const IntSet& set) {
  std::vector<int> values;
  for (auto it = set.begin(); !it.AtEnd(); ++it) values.push_back(*it);
  return values;
}

TEST(PersistentSetTest, BehavesAsAStdSetUnderRandomChanges) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    base::Rng rng(seed);
    IntSet set;
    std::set<int> model;
    for (int step = 0; step < 3000; ++step) {
      const int value = static_cast<int>(rng.Below(800));
      // The second half shrinks, so that nodes merge and the tree gets lower.
      if (rng.Chance(step < 1500 ? 2 : 1, 3)) {
        ASSERT_EQ(set.Insert(value), model.insert(value).second);
      } else {
        ASSERT_EQ(set.Erase(value), model.erase(value) == 1);
      }
      ASSERT_EQ(set.size(), model.size());
      ASSERT_EQ(set.CountBefore(800), model.size());
    }
    EXPECT_EQ(Values(set), std::vector<int>(model.begin(), model.end())) << "seed " << seed;
    for (int value = -1; value <= 800; ++value) {
      ASSERT_EQ(set.Find(value) != nullptr, model.count(value) == 1);
      const auto it = set.From(value);
      const auto wanted = model.lower_bound(value);
      ASSERT_EQ(set.CountBefore(value), static_cast<size_t>(std::distance(model.begin(), wanted)));
      ASSERT_EQ(it.AtEnd(), wanted == model.end());
      if (!it.AtEnd()) {
        ASSERT_EQ(*it, *wanted);
      }
    }
  }
}

TEST(PersistentSetTest, ACopyKeepsWhatItHadWhenTheOriginalChanges) {
  base::Rng rng(7);
  IntSet set;
  std::vector<std::pair<IntSet, std::vector<int>>> snapshots;
  std::set<int> model;
  for (int step = 0; step < 2000; ++step) {
    const int value = static_cast<int>(rng.Below(500));
    if (rng.Chance(1, 2)) {
      set.Insert(value);
      model.insert(value);
    } else {
      set.Erase(value);
      model.erase(value);
    }
    if (step % 50 == 0) snapshots.emplace_back(set, std::vector<int>(model.begin(), model.end()));
  }
  for (const auto& [snapshot, values] : snapshots) EXPECT_EQ(Values(snapshot), values);
}

TEST(PersistentSetTest, AChangedCopyLeavesTheOriginalAlone) {
  IntSet set;
  for (int i = 0; i < 1000; ++i) set.Insert(i);
  const std::vector<int> before = Values(set);
  IntSet copy = set;
  for (int i = 0; i < 1000; i += 2) copy.Erase(i);
  EXPECT_EQ(Values(set), before);
  EXPECT_EQ(copy.size(), 500u);
}

}  // namespace
}  // namespace state
