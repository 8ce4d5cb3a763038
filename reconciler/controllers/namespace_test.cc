#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

constexpr char kTeam[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n";

class NamespaceTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("namespace"));
    controllers.push_back(
        NewController("service-account", {.started = {}, .ca_certificate = "PEM"}));
    return controllers;
  }
  static std::string InTeam(std::string yaml) {
    for (size_t at = 0; (at = yaml.find("metadata: {", at)) != std::string::npos; at += 11)
      yaml.insert(at + 11, "namespace: team, ");
    return yaml;
  }
  std::string Team(const char* path) { return cluster_->Field("namespaces", "", "team", path); }
  // A pod that runs on a node, so that it takes its time to end.
  void AddRunningPod() {
    cluster_->AddNode("n1");
    cluster_->Apply(InTeam(Pod("web")));
    cluster_->Bind("team", "web", "n1");
  }
};

TEST_F(NamespaceTest, NewNamespaceIsActiveAndHasAccountAndCertificate) {
  Start();
  cluster_->Apply(kTeam);
  Settle();
  EXPECT_EQ(Team("status.phase") + cluster_->Field("serviceaccounts", "team", "default", "kind") +
                cluster_->Field("configmaps", "team", "kube-root-ca.crt", "data"),
            R"("Active""ServiceAccount"{"ca.crt":"PEM"})");
  ExpectNothingMoreToWrite();
}

TEST_F(NamespaceTest, AccountAndCertificateComeBackAndAreSetRight) {
  Start();
  Settle();
  cluster_->Delete("serviceaccounts", "default", "default");
  cluster_->Apply(ConfigMap("kube-root-ca.crt") + "apiVersion: v1\nkind: ConfigMap\n" +
                  "metadata: {name: other}\ndata: {mine: stays}\n");
  Settle();
  EXPECT_NE(cluster_->Names("serviceaccounts").find("default/default"), std::string::npos);
  EXPECT_EQ(cluster_->Field("configmaps", "default", "kube-root-ca.crt", "data") +
                cluster_->Field("configmaps", "default", "other", "data"),
            R"({"ca.crt":"PEM"}{"mine":"stays"})");
}

TEST_F(NamespaceTest, CertificateThatAQuotaForbidsDoesNotKeepTheAccountAway) {
  cluster_->Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"
      "spec: {hard: {configmaps: 0}}\n");
  Start();
  Settle();
  EXPECT_EQ(cluster_->Field("serviceaccounts", "default", "default", "kind"), "\"ServiceAccount\"");
  EXPECT_EQ(cluster_->Field("configmaps", "default", "kube-root-ca.crt", "kind"), "absent");
  EXPECT_NE(cluster_->Names("events"), "");
  ExpectNothingMoreToWrite();
  cluster_->Delete("resourcequotas", "default", "q");
  Settle(60);
  EXPECT_EQ(cluster_->Field("configmaps", "default", "kube-root-ca.crt", "kind"), "\"ConfigMap\"");
}

TEST_F(NamespaceTest, EndingNamespaceTakesAllItHasWithIt) {
  Start();
  cluster_->Apply(kTeam);
  cluster_->Apply(InTeam(ConfigMap("a") + ConfigMap("b") + Pod("web")) + ConfigMap("other"));
  cluster_->Delete("namespaces", "", "team");
  Settle();
  EXPECT_EQ(Team("kind"), "absent");
  EXPECT_EQ(cluster_->Names("pods"), "");
  EXPECT_EQ(cluster_->Names("configmaps").find("team/"), std::string::npos);
  EXPECT_NE(cluster_->Names("configmaps").find("default/other"), std::string::npos);
}

TEST_F(NamespaceTest, PodsGetTheirGraceAndKeepWhatTheyUseUntilTheyAreGone) {
  Start();
  cluster_->Apply(kTeam);
  Settle();
  AddRunningPod();
  cluster_->Apply(InTeam(ConfigMap("a")));
  cluster_->Delete("namespaces", "", "team");
  Settle();
  EXPECT_EQ(cluster_->Field("pods", "team", "web", "metadata.deletionGracePeriodSeconds"), "30");
  EXPECT_EQ(Team("status.conditions[0].message"),
            "\"still there: configmaps (2), pods (1), serviceaccounts (1)\"");
  ExpectNothingMoreToWrite();
  state::DeleteOptions at_once;
  at_once.grace_period_seconds = 0;
  cluster_->Delete("pods", "team", "web", at_once);
  Settle();
  EXPECT_EQ(Team("kind"), "absent");
}

TEST_F(NamespaceTest, OfPodsThatGoOneByOneOnlyTheLastCallsForATurn) {
  Start();
  cluster_->Apply(kTeam);
  Settle();
  AddRunningPod();
  cluster_->Apply(InTeam(Pod("other")));
  cluster_->Bind("team", "other", "n1");
  cluster_->Delete("namespaces", "", "team");
  Settle();
  const auto controller = NewController("namespace");
  const auto calls = [&](const std::string& pod, bool removed) {
    const state::ObjectPtr object = cluster_->Get("pods", "team", pod);
    state::View view = cluster_->store().view();
    if (removed) view.Remove(object->key);
    int count = 0;
    size_t visits = 0;
    view.CountVisits(&visits);
    controller->Affects(state::Change{1000, object, object, removed}, view,
                        [&](const state::Key&) { ++count; });
    EXPECT_EQ(visits, 0u);
    return count;
  };
  EXPECT_EQ(calls("web", false), 0);
  EXPECT_EQ(calls("web", true), 0);
  state::DeleteOptions at_once;
  at_once.grace_period_seconds = 0;
  cluster_->Delete("pods", "team", "other", at_once);
  EXPECT_EQ(calls("web", true), 1);
  Settle(11);
  EXPECT_EQ(Team("status.conditions[0].message"),
            "\"still there: configmaps (1), pods (1), serviceaccounts (1)\"");
}

TEST_F(NamespaceTest, ConditionsNameTheFinalizersThatHoldItUp) {
  Start();
  cluster_->Apply(kTeam);
  cluster_->Apply(InTeam(ConfigMap("a", ", finalizers: [example.com/hold]") + ConfigMap("b")));
  cluster_->Delete("namespaces", "", "team");
  Settle();
  EXPECT_EQ(Team("status.conditions[0].message") + Team("status.conditions[1].message"),
            "\"still there: configmaps (1)\""
            "\"finalizers that hold objects: example.com/hold (1)\"");
  EXPECT_EQ(Team("status.phase"), "\"Terminating\"");
  cluster_->Apply(InTeam(ConfigMap("a")));
  Settle();
  EXPECT_EQ(Team("kind"), "absent");
}

TEST_F(NamespaceTest, MoreThanATurnDeletesGoesInSeveral) {
  cluster_->Apply(kTeam);
  std::string yaml;
  for (int i = 0; i < 1201; ++i) yaml += InTeam(ConfigMap("c" + std::to_string(i)));
  cluster_->Apply(yaml);
  cluster_->Delete("namespaces", "", "team");
  Start();
  Settle();
  EXPECT_EQ(Team("kind"), "absent");
}

TEST_F(NamespaceTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] {
        cluster_->Apply(kTeam);
        cluster_->Apply(InTeam(ConfigMap("a") + ConfigMap("b") + Pod("web")));
        cluster_->Delete("namespaces", "", "team");
      },
      5,
      [&] {
        return cluster_->Names("namespaces") + "|" + cluster_->Names("configmaps") + "|" +
               cluster_->Names("serviceaccounts") + "|" + cluster_->Names("pods");
      });
}

}  // namespace
}  // namespace reconciler
