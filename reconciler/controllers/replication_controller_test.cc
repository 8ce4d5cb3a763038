#include <algorithm>

#include "reconciler/testing/controller_test.h"
#include "reconciler/testing/pod_runner.h"

namespace reconciler {
namespace {

std::string Web(int replicas) {
  return "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec:\n  replicas: " +
         std::to_string(replicas) +
         "\n  template:\n    metadata: {labels: {app: web}}\n"
         "    spec: {containers: [{name: c, image: x}]}\n";
}

class ReplicationControllerTest : public ControllerTest {
 protected:
  ReplicationControllerTest() { cluster_->AddNode("n1"); }
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("replicationcontroller"));
    controllers.push_back(NewController("replicaset"));
    controllers.push_back(NewPodRunner({}));
    return controllers;
  }
  std::string Field(const char* path) {
    return cluster_->Field("replicationcontrollers", "default", "web", path);
  }
  // "replicas/labeled/ready/available".
  std::string Counts() {
    return Field("status.replicas") + "/" + Field("status.fullyLabeledReplicas") + "/" +
           Field("status.readyReplicas") + "/" + Field("status.availableReplicas");
  }
};

TEST_F(ReplicationControllerTest, SelectsByItsTemplatesLabelsAndKeepsAsManyPodsAsAskedFor) {
  Start();
  cluster_->Apply(Web(3));
  Settle(10);
  EXPECT_EQ(Counts() + Field("spec.selector"), R"(3/3/3/3{"app":"web"})");
  EXPECT_EQ(cluster_->Get("replicationcontrollers", "default", "web")->Labels()["app"].AsString(),
            "web");
  cluster_->Apply(Web(1));
  Settle(10);
  EXPECT_EQ(Counts(), "1/1/1/1");
  ExpectNothingMoreToWrite();
}

TEST_F(ReplicationControllerTest, AdoptsAPodThatMatchesAndReleasesOneThatNoLongerDoes) {
  Start();
  cluster_->Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: orphan, labels: {app: web}}\n"
      "spec: {containers: [{name: c, image: x}]}\n");
  cluster_->Apply(Web(1));
  Settle(10);
  EXPECT_EQ(cluster_->Names("pods"), "default/orphan");
  EXPECT_EQ(cluster_->Field("pods", "default", "orphan", "metadata.ownerReferences[0].kind"),
            R"("ReplicationController")");
  base::Json pod = cluster_->Get("pods", "default", "orphan")->document.ToJson();
  pod["metadata"]["labels"].Set("app", "other");
  state::Draft draft(cluster_->store().view(), cluster_->Context());
  ASSERT_TRUE(draft.Update(pod).ok());
  ASSERT_TRUE(cluster_->store().Commit(draft.Finish()).ok());
  Settle(10);
  const std::string pods = cluster_->Names("pods");
  EXPECT_EQ(std::count(pods.begin(), pods.end(), ' '), 1)
      << pods << ": the orphan and its successor";
  EXPECT_EQ(cluster_->Field("pods", "default", "orphan", "metadata.ownerReferences[0]"), "absent");
}

TEST_F(ReplicationControllerTest, LeavesThePodsOfAReplicaSetOfItsNameAlone) {
  Start();
  cluster_->Apply(Web(1));
  cluster_->Apply(
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n  replicas: 2\n"
      "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
      "    spec: {containers: [{name: c, image: x}]}\n");
  Settle(10);
  EXPECT_EQ(Counts() + cluster_->Field("replicasets.apps", "default", "web", "status.replicas"),
            "1/1/1/12");
}

TEST_F(ReplicationControllerTest, SaysWhyAPodCannotBeMade) {
  Start();
  cluster_->Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 2}}\n");
  cluster_->Apply(Web(3));
  Settle(10);
  EXPECT_EQ(Field("status.conditions[0].type") + Field("status.replicas"), R"("ReplicaFailure"2)");
  cluster_->Delete("resourcequotas", "default", "q");
  Settle(30);
  EXPECT_EQ(Field("status.conditions[0]") + Field("status.replicas"), "absent3");
}

TEST_F(ReplicationControllerTest, EndsTheSameWhereverItCrashes) {
  CrashScenario scenario;
  scenario.controllers = [this] { return Controllers(); };
  scenario.arrange = [](state::TestCluster& cluster) { cluster.AddNode("n1"); };
  for (const int replicas : {3, 5, 1}) {
    scenario.steps.push_back(
        [replicas](state::TestCluster& cluster) { cluster.Apply(Web(replicas)); });
  }
  EXPECT_GT(reconciler::ExpectSameEndWhereverItCrashes(scenario), 15u);
}

}  // namespace
}  // namespace reconciler
