#include <gtest/gtest.h>

#include "base/document.h"
#include "reconciler/testing/strategy_table.h"

namespace reconciler {
namespace {

TEST(RollingUpdate, PercentagesRoundSurgeUpAndUnavailableDown) {
  const auto limits = [](const std::string& replicas, const std::string& rolling) {
    return LimitsText("{\"replicas\":" + replicas +
                      ",\"strategy\":{\"type\":\"RollingUpdate\","
                      "\"rollingUpdate\":" +
                      rolling + "}}");
  };
  EXPECT_EQ(limits("10", R"({"maxSurge":"25%","maxUnavailable":"25%"})"), "10 +3 -2");
  EXPECT_EQ(limits("3", R"({"maxSurge":0,"maxUnavailable":"25%"})"), "3 +0 -1");
  EXPECT_EQ(limits("2", R"({"maxSurge":0,"maxUnavailable":5})"), "2 +0 -2");
}

// limits; old sets, oldest first, and the new one, each as wanted/available  =>  next sizes
TEST(RollingUpdate, NextSizes) {
  const std::vector<StrategyCase> cases = {
      {"4 +1 -0", "4/4", "-", "4", "1", "the new set begins with what may be too many"},
      {"4 +1 -0", "4/4", "1/0", "4", "1", "nothing goes before the new pod is there"},
      {"4 +1 -0", "4/4", "1/1", "3", "1", "an old pod goes for each new one"},
      {"4 +1 -0", "3/3", "1/1", "3", "2", "then the next may come"},
      {"4 +0 -1", "4/4", "-", "4", "0", "without surge an old one goes first"},
      {"4 +0 -1", "4/4", "0/0", "3", "0", ""},
      {"10 +2 -2", "5/5 3/0", "4/4", "4 0", "4", "pods that do not work go first"},
      {"10 +2 -2", "5/5 3/3", "4/0", "5 3", "4", "what is not there yet is not counted on"},
      {"4 +1 -0", "0/0", "4/4", "0", "4", "the end"},
      {"2 +1 -0", "0/0", "5/5", "0", "2", "too many of the new go at once"},
  };
  ExpectNextSizes("RollingUpdate", cases);
}

TEST(RollingUpdate, RescaleKeepsTheSharesAndGivesTheRestToTheLargest) {
  EXPECT_EQ(RescaleText("RollingUpdate", "10 +0 -1", "3/3 1/1"), "8 2");
  EXPECT_EQ(RescaleText("RollingUpdate", "2 +0 -1", "3/3 1/1"), "1 1");
  EXPECT_EQ(RescaleText("RollingUpdate", "0 +0 -0", "3/3 1/1"), "0 0");
}

}  // namespace
}  // namespace reconciler
