#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

constexpr char kCluster[] =
    "namespace default team=a\n"
    "namespace shop team=b\n"
    "node n1 host=n1 zone=a\n"
    "node n2 host=n2 zone=a\n"
    "node n3 host=n3 zone=b\n"
    "node n4 host=n4\n"
    "pod db on n1 app=db rev=1\n"
    "pod web on n3 in shop app=web\n";

std::string Asked(std::string_view pod) { return Ask("InterPodAffinity", kCluster, pod); }

TEST(InterPodAffinityPluginTest, ANodeInTheDomainOfAMatchingPodFits) {
  EXPECT_EQ(Asked("pod p near=app=db@zone"),
            "n1 0\n"
            "n2 0\n"
            "n3 with no pod app=db in the same zone (the pod's affinity asks "
            "for one)\n"
            "n4 without the label zone that the pod's affinity goes by\n");
}

TEST(InterPodAffinityPluginTest, OnePodMustMatchAllTerms) {
  // app=db and rev=2 are both there, but not in one pod.
  EXPECT_EQ(Ask("InterPodAffinity",
                "node n1 zone=a\npod a on n1 app=db rev=1\npod b on n1 app=web "
                "rev=2\n",
                "pod p near=app=db@zone near=rev=2@zone"),
            "n1 with no pod app=db in the same zone (the pod's affinity asks "
            "for one)\n");
}

TEST(InterPodAffinityPluginTest, AntiAffinityKeepsOffTheDomainOfAMatchingPod) {
  EXPECT_EQ(Asked("pod p apart=app=db@zone"),
            "n1 with a pod app=db in the same zone (the pod's anti-affinity "
            "avoids it)\n"
            "n2 with a pod app=db in the same zone (the pod's anti-affinity "
            "avoids it)\n"
            "n3 0\n"
            "n4 0\n");
}

TEST(InterPodAffinityPluginTest, APlacedPodsAntiAffinityKeepsOthersOff) {
  const std::string cluster =
      "node n1 zone=a\nnode n2 zone=b\npod alone on n1 "
      "app=db apart=app=web@zone\n";
  EXPECT_EQ(Ask("InterPodAffinity", cluster, "pod p app=web"),
            "n1 with a pod near by whose anti-affinity avoids this one\n"
            "n2 0\n");
  EXPECT_EQ(Ask("InterPodAffinity", cluster, "pod p app=cache"), "no opinion");
}

TEST(InterPodAffinityPluginTest, TheFirstPodOfAGroupThatWantsToBeTogetherMayGoAnywhere) {
  EXPECT_EQ(Asked("pod p app=new near=app=new@zone"),
            "n1 0\n"
            "n2 0\n"
            "n3 0\n"
            "n4 without the label zone that the pod's affinity goes by\n");
  // The second may not.
  EXPECT_EQ(Ask("InterPodAffinity", std::string(kCluster) + "pod q on n3 app=new\n",
                "pod p app=new near=app=new@zone"),
            "n1 with no pod app=new in the same zone (the pod's affinity asks "
            "for one)\n"
            "n2 with no pod app=new in the same zone (the pod's affinity asks "
            "for one)\n"
            "n3 0\n"
            "n4 without the label zone that the pod's affinity goes by\n");
}

TEST(InterPodAffinityPluginTest, ATermIsAboutItsNamespaces) {
  const std::string_view nowhere =
      "n1 with no pod app=web in the same host "
      "(the pod's affinity asks for one)\n"
      "n2 with no pod app=web in the same host "
      "(the pod's affinity asks for one)\n"
      "n3 with no pod app=web in the same host "
      "(the pod's affinity asks for one)\n"
      "n4 with no pod app=web in the same host "
      "(the pod's affinity asks for one)\n";
  const std::string_view on_n3 =
      "n1 with no pod app=web in the same host (the "
      "pod's affinity asks for one)\n"
      "n2 with no pod app=web in the same host (the "
      "pod's affinity asks for one)\n"
      "n3 0\n"
      "n4 with no pod app=web in the same host (the "
      "pod's affinity asks for one)\n";
  EXPECT_EQ(Asked("pod p near=app=web@host"), nowhere);
  EXPECT_EQ(Asked("pod p in shop near=app=web@host"), on_n3);
  EXPECT_EQ(Asked("pod p near=app=web@host;namespaces=shop"), on_n3);
  EXPECT_EQ(Asked("pod p near=app=web@host;namespaceSelector=team=b"), on_n3);
  EXPECT_EQ(Asked("pod p near=app=web@host;namespaceSelector=*"), on_n3);
  EXPECT_EQ(Asked("pod p near=app=web@host;namespaceSelector=team=a"), nowhere);
}

TEST(InterPodAffinityPluginTest, MatchLabelKeysTakeThePodsOwnValues) {
  const std::string cluster = "node n1 host=n1\nnode n2 host=n2\npod a on n1 app=web rev=1\n";
  EXPECT_EQ(Ask("InterPodAffinity", cluster,
                "pod p app=web rev=2 apart=app=web@host;matchLabelKeys=[\"rev\"]"),
            "n1 0\n"
            "n2 0\n");
  EXPECT_EQ(Ask("InterPodAffinity", cluster,
                "pod p app=web rev=2 apart=app=web@host;mismatchLabelKeys=[\"rev\"]"),
            "n1 with a pod app=web in the same host (the pod's anti-affinity avoids "
            "it)\n"
            "n2 0\n");
  // A key that the pod lacks says nothing.
  EXPECT_EQ(
      Ask("InterPodAffinity", cluster, "pod p app=web apart=app=web@host;matchLabelKeys=[\"rev\"]"),
      "n1 with a pod app=web in the same host (the pod's anti-affinity "
      "avoids it)\n"
      "n2 0\n");
}

TEST(InterPodAffinityPluginTest, PreferredTermsOfBothSidesScore) {
  // n1: +10 +1 for the required affinity of db; n2: -10; n3: nothing.
  EXPECT_EQ(Ask("InterPodAffinity",
                "node n1 host=n1\nnode n2 host=n2\nnode n3 host=n3\n"
                "pod db on n1 app=db near=app=web@host\n"
                "pod loud on n2 app=loud rather-apart=10:app=web@host\n",
                "pod p app=web rather-near=10:app=db@host"),
            "n1 100\n"
            "n2 0\n"
            "n3 47\n");
}

TEST(InterPodAffinityPluginTest, WakesForPodsThatMatchAndNodesThatAreRelabelled) {
  const std::string before =
      "node n1 zone=a\nnode n2 zone=b\npod other on n1 app=cache\n"
      "pod shy on n2 app=shy apart=app=web@zone\n";
  EXPECT_EQ(WhatWakes("InterPodAffinity", before,
                      "node n1 zone=a cpu=9\nnode n2 zone=c\npod db on n1 app=db\n"
                      "pod cache on n1 app=cache\n",
                      "pod p app=web near=app=db@zone"),
            "n2 db shy");
}

}  // namespace
}  // namespace scheduler
