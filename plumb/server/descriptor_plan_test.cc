#include "plumb/server/descriptor_plan.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

constexpr size_t kLeastLimit = 234;

std::string Text(size_t limit, bool with_node = false) {
  const base::Result<DescriptorPlan> plan = PlanDescriptors(limit, with_node);
  if (!plan.ok()) return std::string(plan.status().message());
  return "store " + std::to_string(plan->store_files) + ", transfers " +
         std::to_string(plan->transfers) + ", api " + std::to_string(plan->api_connections) +
         ", agents " + std::to_string(plan->agent_connections) + " + " +
         std::to_string(plan->agent_newcomers) + (plan->note.empty() ? "" : "; noted");
}

TEST(DescriptorPlanTest, EverybodyGetsAllThatHeWantsWhereThereIsEnough) {
  const std::string all = "store 500, transfers 16, api 4096, agents 20000 + 256";
  EXPECT_EQ(Text(1u << 20), all);
  EXPECT_EQ(Text(SIZE_MAX), all);
  EXPECT_EQ(Text(1u << 20, true), all);
}

TEST(DescriptorPlanTest, ALaptopsLimitIsSharedEquallyByWhoWantsMore) {
  EXPECT_EQ(Text(4096), "store 500, transfers 16, api 1562, agents 1306 + 256; noted");
  EXPECT_EQ(Text(1024), "store 271, transfers 9, api 221, agents 166 + 55; noted");
}

TEST(DescriptorPlanTest, TooFewAreRefusedWithWhatToDo) {
  EXPECT_EQ(Text(kLeastLimit), "store 74, transfers 1, api 24, agents 18 + 6; noted");
  EXPECT_EQ(Text(kLeastLimit - 1),
            "plumb may open 233 files, and needs 234 at least (25324 for all that it can serve); "
            "raise it with ulimit -n 25324, or LimitNOFILE=25324 in the service's unit");
}

// What is given away is never more than there is, and never less with a higher limit.
TEST(DescriptorPlanTest, TheSumIsWithinTheLimit) {
  size_t clients = 0;
  for (size_t limit = kLeastLimit; limit < 30'000; ++limit) {
    const base::Result<DescriptorPlan> plan = PlanDescriptors(limit, false);
    ASSERT_TRUE(plan.ok());
    const size_t sum = plan->store_files + static_cast<size_t>(plan->transfers) * 24 +
                       plan->api_connections + plan->agent_connections + 2 * plan->agent_newcomers -
                       plan->agent_newcomers + 72 + 16;
    ASSERT_LE(sum, limit);
    ASSERT_GE(plan->api_connections, clients);
    clients = plan->api_connections;
  }
}

}  // namespace
}  // namespace plumb
