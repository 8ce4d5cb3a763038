#include <map>

#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

class NodeLifecycleTest : public ControllerTest {
 protected:
  NodeLifecycleTest() { Arrange(); }
  void Arrange() { cluster_->AddNamespace("kube-node-lease"); }
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController(
        "node-lifecycle", {.started = cluster_->loop.now().wall, .ca_certificate = ""}));
    controllers.push_back(NewController("pod-collector", {.max_ended_pods = 2}));
    return controllers;
  }
  void Renew(const std::string& node) {
    cluster_->Apply("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: " + node +
                    ", namespace: kube-node-lease}\nspec: {holderIdentity: " + node +
                    ", renewTime: \"" + cluster_->loop.now().wall.ToMicroString() + "\"}\n");
  }
  // Lets time pass while `nodes` renew their leases every ten seconds.
  void Live(int64_t seconds, const std::vector<std::string>& nodes) {
    for (; seconds > 0; seconds -= 10) {
      for (const std::string& node : nodes) Renew(node);
      Settle(std::min<int64_t>(seconds, 10));
    }
  }
  void AddNodes(const std::vector<std::string>& nodes) {
    for (const std::string& node : nodes) {
      cluster_->AddNode(node);
      Renew(node);
    }
  }
  void AddPod(const std::string& name, const std::string& node, const std::string& spec = "") {
    cluster_->Apply(Pod(name, spec));
    cluster_->Bind("default", name, node);
    cluster_->SetStatus("pods", "default", name,
                        "{phase: Running, conditions: [{type: Ready, status: \"True\"}]}");
  }
  std::string Ready(const std::string& node) {
    return cluster_->Field("nodes", "", node, "status.conditions[0].status") +
           cluster_->Field("nodes", "", node, "status.conditions[0].reason");
  }
  std::string Taints(const std::string& node) {
    std::string text;
    const state::ObjectPtr object = cluster_->Get("nodes", "", node);
    for (base::Value taint : (*object)["spec"]["taints"].Elements()) {
      text += std::string(taint["key"].AsString()) + ":" + std::string(taint["effect"].AsString()) +
              " ";
    }
    return text;
  }
  // "a(ready) b(evicted)"
  std::string Pods() {
    std::string text;
    for (const state::ObjectPtr& pod : cluster_->store().view().List("pods")) {
      const bool ready = (*pod)["status"]["conditions"].At(0)["status"].AsString() == "True";
      text += (text.empty() ? "" : " ") + pod->key.name +
              (pod->Deleting() ? "(evicted)"
               : ready         ? "(ready)"
                               : "(not ready)");
    }
    return text;
  }
};

TEST_F(NodeLifecycleTest, NodeThatRenewsItsLeaseStaysReady) {
  AddNodes({"n1"});
  AddPod("a", "n1");
  Start();
  Live(600, {"n1"});
  EXPECT_EQ(Ready("n1") + Taints("n1") + Pods(), "\"True\"absenta(ready)");
}

TEST_F(NodeLifecycleTest, SilentNodeIsUnknownAfterTheGracePeriodAndItsPodsNotReady) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  AddPod("b", "n2");
  Start();
  Live(39, {"n2", "n3"});
  EXPECT_EQ(Ready("n1") + Pods(), "\"True\"absenta(ready) b(ready)");
  Live(2, {"n2", "n3"});
  EXPECT_EQ(Ready("n1") + Pods(), "\"Unknown\"\"NodeStatusUnknown\"a(not ready) b(ready)");
  EXPECT_EQ(Taints("n1"),
            "node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute ");
  EXPECT_EQ(Taints("n2"), "");
}

// The hub has seen it fall silent; its Lease says for longer that it lives.
TEST_F(NodeLifecycleTest, PodsOfANodeThatIsUnknownAreNotReadyAtOnce) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  AddPod("b", "n2");
  Start();
  Live(10, {"n1", "n2", "n3"});
  cluster_->SetStatus("nodes", "", "n1",
                      "{conditions: [{type: Ready, status: Unknown, reason: NodeStatusUnknown}]}");
  Settle(1);
  EXPECT_EQ(Ready("n1") + Pods(), "\"Unknown\"\"NodeStatusUnknown\"a(not ready) b(ready)");
}

TEST_F(NodeLifecycleTest, PodsAreEvictedWhenTheirTolerationEnds) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("default-5m", "n1");
  AddPod("forever", "n1", ", tolerations: [{operator: Exists}]");
  AddPod("short", "n1",
         ", tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: "
         "NoExecute, tolerationSeconds: 60}]");
  Start();
  Live(99, {"n2", "n3"});
  EXPECT_EQ(Pods(), "default-5m(not ready) forever(not ready) short(not ready)");
  Live(2, {"n2", "n3"});
  EXPECT_EQ(Pods(), "default-5m(not ready) forever(not ready) short(evicted)");
  Live(238, {"n2", "n3"});
  EXPECT_EQ(Pods(), "default-5m(not ready) forever(not ready) short(evicted)");
  Live(2, {"n2", "n3"});
  EXPECT_EQ(Pods(), "default-5m(evicted) forever(not ready) short(evicted)");
}

TEST_F(NodeLifecycleTest, ReturningNodeLosesItsTaintsAndKeepsItsPods) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  Start();
  Live(100, {"n2", "n3"});
  EXPECT_NE(Taints("n1"), "");
  Renew("n1");
  cluster_->SetStatus("nodes", "", "n1", "{conditions: [{type: Ready, status: \"True\"}]}");
  Live(600, {"n1", "n2", "n3"});
  EXPECT_EQ(Ready("n1") + Taints("n1") + Pods(), "\"True\"absenta(not ready)")
      << "that the pod is ready again is for its agent to say";
}

TEST_F(NodeLifecycleTest, NodeThatSaysItIsNotReadyIsTaintedSo) {
  AddNodes({"n1", "n2", "n3"});
  Start();
  cluster_->SetStatus("nodes", "", "n1", "{conditions: [{type: Ready, status: \"False\"}]}");
  Settle();
  EXPECT_EQ(Taints("n1"),
            "node.kubernetes.io/not-ready:NoSchedule node.kubernetes.io/not-ready:NoExecute ");
}

TEST_F(NodeLifecycleTest, RestartedServerGrantsTheFullGracePeriodAgain) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  Start();
  Live(30, {"n2", "n3"});
  Start();
  Live(30, {"n2", "n3"});
  EXPECT_EQ(Ready("n1"), "\"True\"absent");
  Live(20, {"n2", "n3"});
  EXPECT_EQ(Ready("n1"), "\"Unknown\"\"NodeStatusUnknown\"");
  reconciler_.reset();
  Settle(600);
  Start();
  Live(30, {"n2", "n3"});
  EXPECT_EQ(Pods(), "a(not ready)") << "time without a server does not count";
  Live(20, {"n2", "n3"});
  EXPECT_EQ(Pods(), "a(evicted)");
}

TEST_F(NodeLifecycleTest, NobodyIsEvictedWhileMostNodesAreAway) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  AddPod("b", "n2");
  Start();
  Live(1000, {"n3"});
  EXPECT_EQ(Pods(), "a(not ready) b(not ready)");
  EXPECT_EQ(cluster_->Field("nodes", "", "n1", "status.conditions[0].status"), "\"Unknown\"");
  std::map<std::string, int64_t> said;
  for (const state::ObjectPtr& event : cluster_->store().view().List("events"))
    said[std::string((*event)["reason"].AsString())] += (*event)["count"].AsInt();
  EXPECT_EQ(said, (std::map<std::string, int64_t>{{"EvictionPaused", 2}, {"NodeNotReady", 2}}))
      << "each is said once a node";
  Renew("n1");
  cluster_->SetStatus("nodes", "", "n1", "{conditions: [{type: Ready, status: \"True\"}]}");
  Live(20, {"n1", "n3"});
  EXPECT_EQ(Pods(), "a(not ready) b(evicted)");
}

TEST_F(NodeLifecycleTest, AnybodysNoExecuteTaintEvicts) {
  AddNodes({"n1"});
  AddPod("a", "n1");
  AddPod("b", "n1",
         ", tolerations: [{key: maintenance, operator: Exists, effect: NoExecute, "
         "tolerationSeconds: 20}]");
  Start();
  Settle();
  base::Json node = cluster_->Get("nodes", "", "n1")->document.ToJson();
  node["spec"]["taints"].Append(
      base::Json::MakeObject({{"key", "maintenance"}, {"effect", "NoExecute"}}));
  state::Draft draft(cluster_->store().view(), cluster_->Context());
  ASSERT_TRUE(draft.Update(node).ok());
  ASSERT_TRUE(cluster_->store().Commit(draft.Finish()).ok());
  Live(10, {"n1"});
  EXPECT_EQ(Pods(), "a(evicted) b(ready)");
  Live(20, {"n1"});
  EXPECT_EQ(Pods(), "a(evicted) b(evicted)");
}

TEST_F(NodeLifecycleTest, SecondPassWritesNothing) {
  AddNodes({"n1", "n2", "n3"});
  AddPod("a", "n1");
  Start();
  Live(120, {"n2", "n3"});
  ExpectNothingMoreToWrite();
  Live(300, {"n2", "n3"});
  ExpectNothingMoreToWrite();
}

TEST_F(NodeLifecycleTest, PodsOfADeletedNodeAreRemovedUnlessItComesBack) {
  AddNodes({"n1", "n2"});
  AddPod("a", "n1");
  AddPod("b", "n2");
  Start();
  Settle();
  cluster_->Delete("nodes", "", "n1");
  cluster_->Delete("nodes", "", "n2");
  Settle(30);
  EXPECT_EQ(Pods(), "a(not ready) b(not ready)");
  ExpectNothingMoreToWrite();
  cluster_->AddNode("n2");
  Live(60, {"n2"});
  EXPECT_EQ(Pods(), "b(not ready)");
  EXPECT_EQ(cluster_->Field("pods", "default", "b", "status.conditions[1]"), "absent");
}

TEST_F(NodeLifecycleTest, OldestPodsThatEndedGoWhenThereAreTooMany) {
  AddNodes({"n1"});
  for (const char* name : {"d", "c", "b", "a"}) {
    AddPod(name, "n1");
    cluster_->SetStatus("pods", "default", name, "{phase: Succeeded}");
    Settle(2);
  }
  AddPod("runs", "n1");
  Start();
  Settle();
  EXPECT_EQ(cluster_->Names("pods"), "default/a default/b default/runs");
  cluster_->SetStatus("pods", "default", "runs", "{phase: Failed}");
  Settle();
  EXPECT_EQ(cluster_->Names("pods"), "default/a default/runs");
}

TEST_F(NodeLifecycleTest, PodsThatEndedCostNoLookAtOthers) {
  AddNodes({"n1"});
  for (const char* name : {"a", "b", "c", "d"}) {
    AddPod(name, "n1");
    cluster_->SetStatus("pods", "default", name, "{phase: Succeeded}");
  }
  for (int i = 0; i < 50; ++i) AddPod("runs-" + std::to_string(i), "n1");
  state::View view = cluster_->store().view();
  size_t visits = 0;
  view.CountVisits(&visits);
  state::Draft draft(view, cluster_->Context());
  Turn turn(draft, cluster_->loop.now());
  const auto controller = NewController("pod-collector", {.max_ended_pods = 3});
  const base::Status status = controller->Reconcile(turn, {"pods", "", ""});
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(draft.Finish().writes.size(), 1u);
  EXPECT_EQ(visits, 1u);
}

TEST_F(NodeLifecycleTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] {
        Arrange();
        AddNodes({"n1", "n2"});
        AddPod("a", "n1");
        AddPod("b", "n2");
        cluster_->Delete("nodes", "", "n2");
      },
      600, [&] { return Ready("n1") + Taints("n1") + Pods(); });
}

}  // namespace
}  // namespace reconciler
