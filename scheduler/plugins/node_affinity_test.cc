#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

constexpr char kDisks[] =
    "node n1 disk=ssd zone=a\n"
    "node n2 disk=tape\n";

TEST(NodeAffinityPluginTest, TheSelectorsLabelsMustBeThere) {
  EXPECT_EQ(Ask("NodeAffinity", kDisks, "pod p select=disk=ssd"),
            "n1 0\n"
            "n2 not matching the pod's nodeSelector\n");
  EXPECT_EQ(Ask("NodeAffinity", kDisks, "pod p"), "no opinion");
}

TEST(NodeAffinityPluginTest, RequiredTermsAreAlternatives) {
  EXPECT_EQ(
      Ask("NodeAffinity", kDisks,
          R"(pod p spec={"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnored)"
          R"(DuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone",)"
          R"("operator":"Exists"},{"key":"disk","operator":"In","values":["tape"]}]},)"
          R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}]}}}})"),
      "n1 not matching the pod's node affinity\n"
      "n2 0\n");
}

TEST(NodeAffinityPluginTest, PreferredTermsScoreByTheirShareOfAllWeights) {
  EXPECT_EQ(Ask("NodeAffinity", kDisks,
                R"(pod p spec={"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnored)"
                R"(DuringExecution":[{"weight":3,"preference":{"matchExpressions":[{"key":"zone",)"
                R"("operator":"Exists"}]}},{"weight":1,"preference":{"matchExpressions":)"
                R"([{"key":"disk","operator":"Exists"}]}}]}}})"),
            "n1 100\n"
            "n2 25\n");
}

TEST(NodeAffinityPluginTest, WakesWhenLabelsChange) {
  EXPECT_EQ(WhatWakes("NodeAffinity", "node n1\nnode n2\npod a on n1\n",
                      "node n1 cpu=9\nnode n2 disk=ssd\n", "pod p select=disk=ssd"),
            "n2");
}

}  // namespace
}  // namespace scheduler
