#include "manifests/kinds/conditions.h"

#include <gtest/gtest.h>

namespace manifests {
namespace {

using base::Json;
using base::WallTime;

const WallTime kNoon = *WallTime::Parse("2026-11-22T12:00:00Z");
const WallTime kLater = *WallTime::Parse("2026-11-22T12:05:00Z");

TEST(ConditionsTest, TheTimeMovesWithTheStatusOnly) {
  Json status;
  SetCondition(status, "Ready", "False", "Starting", "0/2", kNoon);
  SetCondition(status, "Ready", "False", "Starting", "1/2", kLater);
  EXPECT_EQ(status.ToString(),
            R"({"conditions":[{"lastTransitionTime":"2026-11-22T12:00:00Z","message":"1/2",)"
            R"("reason":"Starting","status":"False","type":"Ready"}]})");
  SetCondition(status, "Ready", "True", "Done", "2/2", kLater).Set("observedGeneration", 3);
  EXPECT_EQ(status.ToString(),
            R"({"conditions":[{"lastTransitionTime":"2026-11-22T12:05:00Z","message":"2/2",)"
            R"("observedGeneration":3,"reason":"Done","status":"True","type":"Ready"}]})");
}

TEST(ConditionsTest, AreFoundAndRemovedByType) {
  Json status;
  SetCondition(status, "A", "True", "x", "", kNoon);
  SetCondition(status, "B", "Unknown", "y", "z", kNoon);
  EXPECT_TRUE(ConditionIs(status, "A", "True"));
  EXPECT_FALSE(ConditionIs(status, "C", "True"));
  const base::Document stored(status);
  EXPECT_EQ(SentenceOf(ConditionOf(stored.root(), "B")), "y: z");
  EXPECT_EQ(SentenceOf(ConditionOf(stored.root(), "A")), "x");
  EXPECT_FALSE(ConditionOf(stored.root(), "C").Exists());
  RemoveCondition(status, "A");
  EXPECT_TRUE(ConditionOf(status, "A").IsNull());
  EXPECT_TRUE(ConditionIs(status, "B", "Unknown"));
}

TEST(ConditionsTest, RemovingWhatIsNotThereMakesNothing) {
  Json status = Json::MakeObject();
  RemoveCondition(status, "A");
  EXPECT_EQ(status.ToString(), "{}");
}

TEST(ConditionsTest, HeldSinceTheStatusBeganToBeSo) {
  Json before;
  SetCondition(before, "Ready", "True", "", "", kNoon);
  EXPECT_EQ(HeldSince(before, "Ready", "True", kLater).AsString(), "2026-11-22T12:00:00Z");
  EXPECT_EQ(HeldSince(before, "Ready", "False", kLater).AsString(), "2026-11-22T12:05:00Z");
  EXPECT_EQ(HeldSince(before, "Other", "True", kLater).AsString(), "2026-11-22T12:05:00Z");
}

}  // namespace
}  // namespace manifests
