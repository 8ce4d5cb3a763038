#include <gtest/gtest.h>

#include "reconciler/testing/strategy_table.h"

namespace reconciler {
namespace {

TEST(Recreate, AllowsNothingBesideOrBelow) {
  EXPECT_EQ(LimitsText(R"({"replicas":2,"strategy":{"type":"Recreate"}})"), "2 +0 -0");
}

TEST(Recreate, NextSizes) {
  const std::vector<StrategyCase> cases = {
      {"4 +0 -0", "4/4", "-", "0", "-", "all old pods go"},
      {"4 +0 -0", "4/4", "1/1", "0", "-", "a new set that there is waits like one to be made"},
      {"4 +0 -0", "0/0 run", "-", "0", "-", "until the last has ended"},
      {"4 +0 -0", "0/0", "-", "0", "4", "then the new set gets all"},
      {"4 +0 -0", "", "-", "", "4", "as it does where none was"},
      {"4 +0 -0", "0/0", "4/4", "0", "4", "the end"},
  };
  ExpectNextSizes("Recreate", cases);
}

TEST(Recreate, RescaleLeavesTwoSetsToTheRollout) {
  EXPECT_EQ(RescaleText("Recreate", "10 +0 -0", "3/3 1/1"), "3 1");
}

}  // namespace
}  // namespace reconciler
