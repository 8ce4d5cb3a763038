// A crash after every single commit of controllers that have no test file of their own for it, and
// of all of them together.
#include <gtest/gtest.h>

#include "reconciler/controllers/all.h"
#include "reconciler/testing/controller_test.h"
#include "reconciler/testing/crash_everywhere.h"
#include "reconciler/testing/pod_runner.h"

namespace reconciler {
namespace {

constexpr char kWeb[] = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "hello:1"}]}
)";

std::string Set(int replicas) {
  return "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n  replicas: " +
         std::to_string(replicas) +
         "\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: "
         "web}}\n"
         "    spec: {containers: [{name: c, image: x}]}\n";
}

TEST(CrashTest, AReplicaSetThatGrowsAndShrinks) {
  CrashScenario scenario;
  scenario.controllers = [] {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("replicaset"));
    controllers.push_back(NewPodRunner({}));
    return controllers;
  };
  scenario.steps = {[](state::TestCluster& cluster) { cluster.Apply(Set(3)); },
                    [](state::TestCluster& cluster) { cluster.Apply(Set(5)); },
                    [](state::TestCluster& cluster) { cluster.Apply(Set(1)); }};
  EXPECT_GT(ExpectSameEndWhereverItCrashes(scenario), 15u);
}

TEST(CrashTest, AllControllersFromADeploymentToTheEndOfItsNamespace) {
  CrashScenario scenario;
  scenario.controllers = [] {
    std::vector<std::unique_ptr<Controller>> controllers =
        AllControllers({.ca_certificate = "certificate"});
    controllers.push_back(NewPodRunner({}));
    return controllers;
  };
  const auto in_team = [](std::string yaml) {
    for (size_t at = 0; (at = yaml.find("{name: web}", at)) != std::string::npos; ++at) {
      yaml.replace(at, 11, "{name: web, namespace: team}");
    }
    return yaml;
  };
  scenario.steps = {[in_team](state::TestCluster& cluster) {
                      cluster.AddNode("n1");
                      cluster.AddNamespace("team");
                      cluster.Apply(in_team(kWeb));
                    },
                    [](state::TestCluster& cluster) { cluster.Delete("namespaces", "", "team"); }};
  scenario.settle = base::Duration::Seconds(35);  // nobody shows that n1 lives
  EXPECT_GT(ExpectSameEndWhereverItCrashes(scenario), 25u);
}

class ServiceAccountCrashTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("service-account", {.ca_certificate = "certificate"}));
    return controllers;
  }
};

TEST_F(ServiceAccountCrashTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] {
        cluster_->AddNamespace("a");
        cluster_->AddNamespace("b");
      },
      5, [&] { return cluster_->Names("serviceaccounts") + "|" + cluster_->Names("configmaps"); });
  EXPECT_EQ(cluster_->Names("serviceaccounts"), "a/default b/default default/default");
}

class EventExpiryCrashTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("event-expiry"));
    return controllers;
  }
};

TEST_F(EventExpiryCrashTest, EndsTheSameWhereverItCrashes) {
  const auto event = [&](const std::string& name) {
    cluster_->Apply("apiVersion: v1\nkind: Event\nmetadata: {name: " + name +
                    "}\ninvolvedObject: {kind: Pod, name: p, namespace: default}\nlastTimestamp: " +
                    cluster_->loop.now().wall.ToString() + "\n");
  };
  ExpectSameEndWhereverItCrashes(
      [&] {
        for (const char* name : {"a", "b", "c"}) {
          event(name);
          Settle(60);
        }
        Settle(3000);
        event("young");
      },
      1200, [&] { return cluster_->Names("events"); });
  EXPECT_EQ(cluster_->Names("events"), "default/young");
}

class PodCollectorCrashTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("pod-collector", {.max_ended_pods = 1}));
    return controllers;
  }
};

TEST_F(PodCollectorCrashTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] {
        cluster_->AddNode("n1");
        cluster_->Apply(Pod("lost-a", ", nodeName: gone") + Pod("lost-b", ", nodeName: gone") +
                        Pod("stays", ", nodeName: n1"));
        for (const char* name : {"ended-a", "ended-b", "ended-c"}) {
          cluster_->Apply(Pod(name));
          cluster_->SetStatus("pods", "default", name, "{phase: Succeeded}");
          Settle(2);
        }
      },
      120, [&] { return cluster_->Names("pods"); });
  EXPECT_EQ(cluster_->Names("pods"), "default/ended-c default/stays");
}

}  // namespace
}  // namespace reconciler
