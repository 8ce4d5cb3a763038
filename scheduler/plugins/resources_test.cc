#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(ResourcesPluginTest, RequestsMustFitAndTheEmptiestNodeScoresBest) {
  EXPECT_EQ(Ask("NodeResourcesFit",
                "node n1 cpu=4 memory=8Gi\n"
                "node n2 cpu=4 memory=8Gi\n"
                "node n3 cpu=4 memory=8Gi\n"
                "node n4 cpu=1 memory=8Gi\n"
                "pod a on n2 cpu=2 memory=4Gi\n"
                "pod b on n3 memory=7Gi\n",
                "pod p cpu=2 memory=2Gi"),
            "n1 62\n"
            "n2 12\n"
            "n3 too little memory\n"
            "n4 too little cpu\n");
}

TEST(ResourcesPluginTest, OtherResourcesAreCountedToo) {
  EXPECT_EQ(
      Ask("NodeResourcesFit",
          "node n1 example.com/gpu=1\n"
          "node n2 example.com/gpu=2\n"
          "node n3\n",
          R"(pod p spec={"initContainers":[{"resources":{"requests":{"example.com/gpu":2}}}]})"),
      "n1 too little example.com/gpu\n"
      "n2 100\n"
      "n3 without example.com/gpu\n");
}

TEST(ResourcesPluginTest, APodThatAsksForNothingFitsAFullNode) {
  EXPECT_EQ(
      Ask("NodeResourcesFit", "node n1 cpu=1 memory=1Gi\npod a on n1 cpu=1 memory=1Gi\n", "pod p"),
      "n1 0\n");
}

TEST(ResourcesPluginTest, WakesWhenAPodLeavesOrTheNodeGrows) {
  EXPECT_EQ(
      WhatWakes("NodeResourcesFit", "node n1\nnode n2\npod a on n1\npod b on n1\n",
                "node n1 cpu=8\nnode n2 disk=ssd\npod b on n1 app=web\npod c on n2\n", "pod p"),
      "n1 a");
}

}  // namespace
}  // namespace scheduler
