#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(PodCountPluginTest, ANodeTakesAsManyPodsAsItAllows) {
  EXPECT_EQ(Ask("PodCount",
                "node n1 pods=2\n"
                "node n2 pods=2\n"
                "pod a on n1\n"
                "pod b on n1\n"
                "pod c on n2\n",
                "pod p"),
            "n1 full (2 pods)\n"
            "n2 fits\n");
}

TEST(PodCountPluginTest, WakesWhenAPodLeavesOrTheNodeAllowsMore) {
  EXPECT_EQ(WhatWakes("PodCount", "node n1 pods=1\nnode n2 pods=1\npod a on n1\npod b on n2\n",
                      "node n1 pods=2\nnode n2 pods=1 zone=a\npod a on n1\n", "pod p"),
            "n1 b");
}

}  // namespace
}  // namespace scheduler
