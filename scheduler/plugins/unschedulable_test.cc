#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(UnschedulablePluginTest, ACordonedNodeTakesOnlyWhatToleratesIt) {
  EXPECT_EQ(Ask("NodeUnschedulable", "node n1 cordoned\nnode n2\n", "pod p"),
            "n1 cordoned\n"
            "n2 fits\n");
  EXPECT_EQ(Ask("NodeUnschedulable", "node n1 cordoned\n",
                "pod p tolerate=node.kubernetes.io/unschedulable:NoSchedule"),
            "n1 fits\n");
}

TEST(UnschedulablePluginTest, WakesWhenANodeIsUncordoned) {
  EXPECT_EQ(WhatWakes("NodeUnschedulable", "node n1 cordoned\nnode n2 cordoned\npod a on n2\n",
                      "node n1\nnode n2 cordoned zone=a\n", "pod p"),
            "n1");
}

}  // namespace
}  // namespace scheduler
