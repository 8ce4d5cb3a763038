#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

constexpr char kTainted[] =
    "node n1 taint=gpu:NoSchedule\n"
    "node n2 taint=gpu:PreferNoSchedule taint=old:PreferNoSchedule\n"
    "node n3 taint=node.kubernetes.io/not-ready:NoExecute\n"
    "node n4 taint=node.kubernetes.io/unreachable:NoExecute\n"
    "node n5\n";

TEST(TaintsPluginTest, WhatIsNotToleratedKeepsOffOrCostsScore) {
  EXPECT_EQ(Ask("TaintToleration", kTainted, "pod p"),
            "n1 tainted gpu (the pod does not tolerate it)\n"
            "n2 50\n"
            "n3 not ready\n"
            "n4 unreachable\n"
            "n5 100\n");
}

TEST(TaintsPluginTest, ATolerationIsOfAnEffect) {
  EXPECT_EQ(Ask("TaintToleration", kTainted,
                "pod p tolerate=gpu:NoSchedule tolerate=old:PreferNoSchedule "
                "tolerate=node.kubernetes.io/not-ready:NoSchedule"),
            "n1 100\n"
            "n2 75\n"
            "n3 not ready\n"
            "n4 unreachable\n"
            "n5 100\n");
}

TEST(TaintsPluginTest, WakesWhenTaintsChange) {
  EXPECT_EQ(WhatWakes("TaintToleration",
                      "node n1 taint=gpu:NoSchedule\nnode n2 taint=gpu:NoSchedule\npod a on n1\n",
                      "node n1 taint=gpu:NoSchedule cpu=9\nnode n2\n", "pod p"),
            "n2");
}

}  // namespace
}  // namespace scheduler
