#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(NodeNamePluginTest, APodThatNamesItsNodeGoesThereOrNowhere) {
  EXPECT_EQ(Ask("NodeName", "node n1\nnode n2\n", R"(pod p spec={"nodeName":"n2"})"),
            "n1 not the node n2\n"
            "n2 fits\n");
  EXPECT_EQ(Ask("NodeName", "node n1\n", "pod p"), "no opinion");
}

TEST(NodeNamePluginTest, WakesForANewNodeOnly) {
  EXPECT_EQ(WhatWakes("NodeName", "node n1\n", "node n1 zone=a cpu=9\nnode n2\n",
                      R"(pod p spec={"nodeName":"n2"})"),
            "n2");
}

}  // namespace
}  // namespace scheduler
