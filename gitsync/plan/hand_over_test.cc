// Commits that change hands or words only: what they lead to is judged, not how they get there.
#include <gtest/gtest.h>

#include "gitsync/testing/plan_fixture.h"

namespace gitsync {
namespace {

std::string NodePortOf(const std::string& name, const std::string& port) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: shop}\nspec: {type: NodePort, selector: {app: a}, ports: [{port: 80, "
         "nodePort: " +
         port + "}]}\n";
}

// What only one may have is judged by the end of the commit, not by a state in between.
TEST_F(PlanTest, APortGoesFromOneServiceToAnotherWithinACommit) {
  Push({{"ns.yaml", kNamespace}, {"a.yaml", NodePortOf("old", "30401")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"a.yaml", NodePortOf("new", "30401")}}),
            "would create     services shop/new\nwould prune      services shop/old\n"
            "would create 1, prune 1; 1 unchanged\n");
  Push({{"ns.yaml", kNamespace},
        {"a.yaml", NodePortOf("new", "30401")},
        {"b.yaml", NodePortOf("two", "30402")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace},
                  {"a.yaml", NodePortOf("new", "30402")},
                  {"b.yaml", NodePortOf("two", "30401")}}),
            "would configure  services shop/new\nwould configure  services shop/two\n"
            "would configure 2; 1 unchanged\n");
  const std::string fixed =
      "apiVersion: v1\nkind: Service\nmetadata: {name: NAME, namespace: shop}\n"
      "spec: {clusterIP: 10.96.77.77, ports: [{port: 80}]}\n";
  Push({{"ns.yaml", kNamespace}, {"f.yaml", Replace(fixed, "NAME", "one")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"f.yaml", Replace(fixed, "NAME", "other")}}),
            "would create     services shop/other\nwould prune      services shop/one\n"
            "would create 1, prune 1; 1 unchanged\n");
}

TEST_F(PlanTest, ATakenPortIsAnErrorAtItsPlace) {
  Push({{"ns.yaml", kNamespace}, {"a.yaml", NodePortOf("a", "30401")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace},
                  {"a.yaml", NodePortOf("a", "30401")},
                  {"b.yaml", NodePortOf("b", "30401")}}),
            "b.yaml:4:73: spec.ports[0].nodePort: 30401 is taken\n");
}

TEST_F(PlanTest, APlaceInAFullQuotaGoesToWhatComesForIt) {
  const auto config = [](const std::string& name) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: shop}\n";
  };
  const std::string quota =
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few, namespace: shop}\nspec: {hard: "
      "{configmaps: 1}}\n";
  Push({{"ns.yaml", kNamespace}, {"q.yaml", quota}, {"c.yaml", config("one")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"q.yaml", quota}, {"c.yaml", config("other")}}),
            "would create     configmaps shop/other\nwould prune      configmaps shop/one\n"
            "would create 1, prune 1; 2 unchanged\n");
  EXPECT_NE(Push({{"ns.yaml", kNamespace},
                  {"q.yaml", quota},
                  {"c.yaml", config("other")},
                  {"d.yaml", config("more")}})
                .find("d.yaml:1:1: configmaps \"more\" is forbidden: exceeded quota few"),
            std::string::npos);
}

TEST_F(PlanTest, WhatTheServerFilledInForTheOldTypeGoesWithIt) {
  const auto service = [](const std::string& spec) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {" + spec +
           ", selector: {app: a}, ports: [{port: 80}]}\n";
  };
  Push({{"ns.yaml", kNamespace}, {"s.yaml", service("type: NodePort, sessionAffinity: ClientIP")}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace},
                  {"s.yaml", service("type: ClusterIP, sessionAffinity: None")}}),
            "would configure  services shop/s\nwould configure 1; 1 unchanged\n");
  EXPECT_EQ(cluster_.Field("services", "shop", "s", "spec.ports[0].nodePort"), "absent");
}

// Charts write empty values where nothing is set.
TEST_F(PlanTest, WritingTheSameOtherwiseChangesNothingThatRuns) {
  const auto web = [](const std::string& more) {
    return Replace(kWeb, "    spec:\n", "    spec:\n      " + more + "\n");
  };
  const auto spec = [&] { return cluster_.Field("deployments.apps", "shop", "web", "spec"); };
  Push({{"ns.yaml", kNamespace}, {"c.yaml", kConfig}, {"w.yaml", kWeb}});
  const std::string before = spec();
  for (const char* more :
       {"nodeSelector: {}", "volumes: []", "tolerations: []", "imagePullSecrets: []",
        "initContainers: []", "hostNetwork: false", "nodeName: \"\"", "hostAliases:"}) {
    Push({{"ns.yaml", kNamespace}, {"c.yaml", kConfig}, {"w.yaml", web(more)}});
    EXPECT_EQ(spec(), before) << more;
    EXPECT_EQ(cluster_.Field("deployments.apps", "shop", "web", "metadata.generation"), "1")
        << more;
    unsure_.clear();
    EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"c.yaml", kConfig}, {"w.yaml", web(more)}}),
              "3 unchanged\n")
        << more << " drifts for ever";
  }
}

TEST_F(PlanTest, ANullInAMapOfTextsIsTheEmptyText) {
  const auto web = [](const std::string& tier) {
    std::string text = Replace(kWeb, "{app: web}", "{app: web, tier: " + tier + "}");
    return Replace(text, "labels: {app: web}", "labels: {app: web, tier: " + tier + "}");
  };
  Push({{"ns.yaml", kNamespace}, {"c.yaml", kConfig}, {"w.yaml", web("")}});
  EXPECT_EQ(cluster_.Field("deployments.apps", "shop", "web", "spec.selector.matchLabels"),
            R"({"app":"web","tier":""})");
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"c.yaml", kConfig}, {"w.yaml", web("\"\"")}}),
            "3 unchanged\n");
}

}  // namespace
}  // namespace gitsync
