#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

constexpr char kZones[] =
    "node n1 host=n1 zone=a\n"
    "node n2 host=n2 zone=a\n"
    "node n3 host=n3 zone=b\n"
    "node n4 host=n4\n"
    "pod web-1 on n1 app=web rev=1\n"
    "pod web-2 on n2 app=web rev=1\n"
    "pod web-3 on n3 app=web rev=2\n"
    "pod old on n3 app=web leaving\n"
    "pod elsewhere on n3 in shop app=web\n";

std::string AskedToSpread(std::string_view pod) { return Ask("PodTopologySpread", kZones, pod); }

TEST(TopologySpreadPluginTest, ADomainMayHaveMaxSkewMoreThanTheEmptiest) {
  EXPECT_EQ(AskedToSpread("pod p app=web spread=1:app=web@zone"),
            "n1 in a zone that has its share (maxSkew 1)\n"
            "n2 in a zone that has its share (maxSkew 1)\n"
            "n3 0\n"
            "n4 without the label zone that the pod spreads over\n");
  EXPECT_EQ(AskedToSpread("pod p app=web spread=2:app=web@zone"),
            "n1 0\n"
            "n2 0\n"
            "n3 0\n"
            "n4 without the label zone that the pod spreads over\n");
  EXPECT_EQ(AskedToSpread("pod p"), "no opinion");
}

TEST(TopologySpreadPluginTest, APodThatIsNotCountedItselfAddsNothing) {
  EXPECT_EQ(AskedToSpread("pod p app=db spread=1:app=web@zone"),
            "n1 0\n"
            "n2 0\n"
            "n3 0\n"
            "n4 without the label zone that the pod spreads over\n");
}

TEST(TopologySpreadPluginTest, BelowMinDomainsTheEmptiestIsZero) {
  EXPECT_EQ(AskedToSpread("pod p app=web spread=2:app=web@zone;minDomains=3"),
            "n1 in a zone that has its share while there are 2 of them "
            "(minDomains 3)\n"
            "n2 in a zone that has its share while there are 2 of them "
            "(minDomains 3)\n"
            "n3 0\n"
            "n4 without the label zone that the pod spreads over\n");
}

TEST(TopologySpreadPluginTest, MatchLabelKeysCountOneRevision) {
  EXPECT_EQ(AskedToSpread("pod p app=web rev=2 spread=1:app=web@zone;matchLabelKeys=[\"rev\"]"),
            "n1 0\n"
            "n2 0\n"
            "n3 in a zone that has its share (maxSkew 1)\n"
            "n4 without the label zone that the pod spreads over\n");
}

TEST(TopologySpreadPluginTest, OnlyNodesThatThePodCouldUseCount) {
  const std::string cluster =
      "node n1 zone=a disk=ssd\n"
      "node n2 zone=b\n"
      "node n3 zone=c disk=ssd taint=gpu:NoSchedule\n"
      "pod web on n1 app=web\n";
  const std::string pod = "pod p app=web select=disk=ssd spread=1:app=web@zone";
  // b counts for nothing; c does, though its taint is not tolerated.
  EXPECT_EQ(Ask("PodTopologySpread", cluster, pod),
            "n1 in a zone that has its share (maxSkew 1)\n"
            "n2 0\n"
            "n3 0\n");
  EXPECT_EQ(Ask("PodTopologySpread", cluster, pod + ";nodeTaintsPolicy=\"Honor\""),
            "n1 0\n"
            "n2 0\n"
            "n3 0\n");
  EXPECT_EQ(Ask("PodTopologySpread", cluster,
                pod + ";nodeTaintsPolicy=\"Honor\";nodeAffinityPolicy=\"Ignore\""),
            "n1 in a zone that has its share (maxSkew 1)\n"
            "n2 0\n"
            "n3 0\n");
}

TEST(TopologySpreadPluginTest, ScheduleAnywayOnlyScores) {
  EXPECT_EQ(AskedToSpread("pod p app=web rather-spread=1:app=web@zone"),
            "n1 50\n"
            "n2 50\n"
            "n3 100\n"
            "n4 0\n");
  // The mean of both constraints.
  EXPECT_EQ(Ask("PodTopologySpread", std::string(kZones) + "node n5 host=n5 zone=b\n",
                "pod p app=web rather-spread=1:app=web@zone "
                "rather-spread=1:app=web@host"),
            "n1 25\n"
            "n2 25\n"
            "n3 50\n"
            "n4 0\n"
            "n5 100\n");
}

TEST(TopologySpreadPluginTest, WakesForPodsThatItCountsAndForNodes) {
  EXPECT_EQ(WhatWakes("PodTopologySpread", kZones,
                      "node n1 host=n1 zone=a cpu=9\nnode n2 host=n2 zone=b\n"
                      "node n3 host=n3 zone=b\n"
                      "pod web-1 on n1 app=web rev=1 leaving\n"
                      "pod web-2 on n2 app=web rev=1\n"
                      "pod web-3 on n3 app=web rev=2\n"
                      "pod old on n3 app=web leaving\n",
                      "pod p app=web spread=1:app=web@zone"),
            "n2 web-1 n4");
}

}  // namespace
}  // namespace scheduler
