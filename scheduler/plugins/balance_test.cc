#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(BalancePluginTest, EvenUseOfCpuAndMemoryScoresBest) {
  EXPECT_EQ(Ask("BalancedAllocation",
                "node n1 cpu=4 memory=8Gi\n"
                "node n2 cpu=4 memory=8Gi\n"
                "pod lean on n2 memory=6Gi\n"
                "node n3 cpu=0 memory=0\n",
                "pod p cpu=2 memory=2Gi"),
            "n1 75\n"
            "n2 50\n"
            "n3 100\n");
}

}  // namespace
}  // namespace scheduler
