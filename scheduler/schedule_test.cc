#include "scheduler/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/scheduler.h"
#include "state/testing/test_cluster.h"

namespace scheduler {
namespace {

class ScheduleTest : public testing::Test {
 protected:
  ScheduleTest() : scheduler_(cluster_.loop, cluster_.store(), cluster_.Context()) {}

  void AddPod(const std::string& name, const std::string& spec = "",
              const std::string& resources = "") {
    cluster_.Apply("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n" + spec +
                   "  containers: [{name: c, image: x" +
                   (resources.empty() ? "" : ", resources: " + resources) + "}]\n");
  }
  void Change(const std::string& node, const std::function<void(base::Json&)>& edit) {
    base::Json object = cluster_.Get("nodes", "", node)->document.ToJson();
    edit(object);
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    ASSERT_TRUE(draft.Update(object).ok());
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }
  // "a>n1 b>n2 c>?"
  std::string Places() {
    cluster_.Settle();
    std::string text;
    for (const state::ObjectPtr& pod : cluster_.store().view().List("pods")) {
      const std::string_view node = (*pod)["spec"]["nodeName"].AsString();
      text += (text.empty() ? "" : " ") + pod->key.name + ">" +
              (node.empty() ? "?" : std::string(node));
    }
    return text;
  }
  std::string Why(const std::string& pod) {
    cluster_.Settle();
    for (base::Value condition :
         (*cluster_.Get("pods", "default", pod))["status"]["conditions"].Elements()) {
      if (condition["type"].AsString() == "PodScheduled")
        return std::string(condition["message"].AsString());
    }
    return "unknown";
  }

  state::TestCluster cluster_;
  Scheduler scheduler_;
};

TEST_F(ScheduleTest, SpreadsOverNodesOfEqualRoom) {
  for (const char* node : {"n1", "n2", "n3"}) cluster_.AddNode(node);
  for (const char* pod : {"a", "b", "c"}) AddPod(pod, "", "{requests: {cpu: 500m, memory: 256Mi}}");
  EXPECT_EQ(Places(), "a>n1 b>n2 c>n3");
}

TEST_F(ScheduleTest, SaysInOneSentenceWhyAPodIsPending) {
  cluster_.AddNode("n1", "4", "3Gi");
  cluster_.AddNode("n2", "4", "2Gi");
  cluster_.AddNode("n3", "4", "8Gi");
  Change("n3", [](base::Json& node) { node["spec"].Set("unschedulable", true); });
  AddPod("big", "", "{requests: {memory: 4Gi}}");
  EXPECT_EQ(Why("big"), "0/3 nodes: 2 too little memory (need 4Gi, most free 3Gi), 1 cordoned");
}

TEST_F(ScheduleTest, APodWaitsForANodeAndThenTakesIt) {
  AddPod("a");
  EXPECT_EQ(Why("a"), "0/0 nodes: no node has joined; see 'plumb agent --help'");
  cluster_.AddNode("n1");
  cluster_.Settle(base::Duration::Seconds(20));
  EXPECT_EQ(Places(), "a>n1");
}

TEST_F(ScheduleTest, DecisionsAreToldAsEventsOnceEach) {
  AddPod("a");
  AddPod("b", "  nodeSelector: {disk: ssd}\n");
  cluster_.Settle(base::Duration::Minutes(1));
  cluster_.AddNode("n1");
  cluster_.Settle(base::Duration::Minutes(1));
  std::string told;
  for (const state::ObjectPtr& object : cluster_.store().view().List("events")) {
    const state::Object& event = *object;
    told += std::string(event["involvedObject"]["name"].AsString()) + " " +
            std::string(event["reason"].AsString()) + " " +
            std::string(event["source"]["component"].AsString()) + " " +
            std::to_string(event["count"].AsInt()) + ": " +
            std::string(event["message"].AsString()) + "\n";
  }
  EXPECT_EQ(
      told,
      "a FailedScheduling default-scheduler 1: 0/0 nodes: no node has joined; see 'plumb agent "
      "--help'\n"
      "a Scheduled default-scheduler 1: Successfully assigned default/a to n1\n"
      "b FailedScheduling default-scheduler 1: 0/0 nodes: no node has joined; see 'plumb agent "
      "--help'\n"
      "b FailedScheduling default-scheduler 1: 0/1 nodes: 1 not matching the pod's "
      "nodeSelector\n");
}

TEST_F(ScheduleTest, RoomThatAPodLeavesIsGivenToTheNext) {
  cluster_.AddNode("n1", "1", "1Gi");
  AddPod("a", "", "{requests: {cpu: 800m}}");
  EXPECT_EQ(Places(), "a>n1");
  AddPod("b", "", "{requests: {cpu: 800m}}");
  EXPECT_EQ(Why("b"), "0/1 nodes: 1 too little cpu (need 800m, most free 200m)");
  cluster_.Delete("pods", "default", "a", state::DeleteOptions{.grace_period_seconds = 0});
  cluster_.Settle(base::Duration::Seconds(20));
  EXPECT_EQ(Places(), "b>n1");
}

TEST_F(ScheduleTest, ABatchNeverOverfillsANode) {
  cluster_.AddNode("n1", "2", "8Gi");
  cluster_.AddNode("n2", "3", "8Gi");
  for (int i = 0; i < 8; ++i) AddPod("p" + std::to_string(i), "", "{requests: {cpu: \"1\"}}");
  cluster_.Settle();
  std::map<std::string, int> per_node;
  for (const state::ObjectPtr& pod : cluster_.store().view().List("pods")) {
    ++per_node[std::string((*pod)["spec"]["nodeName"].AsString())];
  }
  EXPECT_EQ(per_node, (std::map<std::string, int>{{"", 3}, {"n1", 2}, {"n2", 3}}));
}

TEST_F(ScheduleTest, SelectorsAffinityAndTaintsAreKept) {
  for (const char* node : {"n1", "n2", "n3"}) cluster_.AddNode(node);
  Change("n2", [](base::Json& node) { node["metadata"]["labels"].Set("disk", "ssd"); });
  Change("n3", [](base::Json& node) {
    node["spec"]["taints"].Append(
        base::Json::MakeObject({{"key", "gpu"}, {"value", "a"}, {"effect", "NoSchedule"}}));
    node["metadata"]["labels"].Set("disk", "ssd");
  });
  AddPod("a", "  nodeSelector: {disk: ssd}\n");
  AddPod("b", "  nodeSelector: {disk: ssd}\n  tolerations: [{key: gpu, operator: Exists}]\n");
  AddPod("c",
         "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: "
         "[{matchExpressions: [{key: disk, operator: DoesNotExist}]}]}}}\n");
  AddPod("d", "  nodeSelector: {disk: tape}\n");
  EXPECT_EQ(Places(), "a>n2 b>n3 c>n1 d>?");
  EXPECT_EQ(Why("d"),
            "0/3 nodes: 2 not matching the pod's nodeSelector, 1 tainted gpu (the pod does not "
            "tolerate it)");
}

TEST_F(ScheduleTest, HostPortsDoNotCollide) {
  cluster_.AddNode("n1");
  const std::string yaml =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec: {containers: [{name: c, image: x, "
      "ports: "
      "[{containerPort: 80, hostPort: 8080}]}]}\n";
  for (const char* name : {"a", "b"})
    cluster_.Apply(std::string(yaml).replace(yaml.find("NAME"), 4, name));
  EXPECT_EQ(Places(), "a>n1 b>?");
  EXPECT_EQ(Why("b"), "0/1 nodes: 1 with host port 8080 taken");
}

TEST_F(ScheduleTest, APodThatWantsToBeNearAnotherIsPlacedWhenThatOneIs) {
  for (const char* node : {"n1", "n2"}) cluster_.AddNode(node);
  AddPod("b",
         "  affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: a}}}]}}\n");
  EXPECT_EQ(Why("b"),
            "0/2 nodes: 2 with no pod app=a in the same kubernetes.io/hostname (the pod's affinity "
            "asks for one)");
  AddPod("c");
  cluster_.Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}}\n"
      "spec: {containers: [{name: c, image: x}]}\n");
  cluster_.Settle(base::Duration::Seconds(20));
  // Which of two equal nodes is chance's affair.
  EXPECT_THAT(Places(), testing::AnyOf("a>n1 b>n1 c>n2", "a>n2 b>n2 c>n1"));
}

// The table that follows changes must agree with one built anew.
TEST_F(ScheduleTest, TheTableFollowsChangesExactly) {
  base::Rng rng(5);
  ClusterTable table(cluster_.store().view());
  const base::Subscription subscription = cluster_.store().OnCommit(
      [&](const state::Change& change) { table.Apply(change, cluster_.store().view()); });
  for (int step = 0; step < 200; ++step) {
    const std::string name(1, static_cast<char>('a' + rng.Below(8)));
    const state::ObjectPtr pod = cluster_.Get("pods", "default", name);
    if (pod == nullptr) {
      AddPod(name, "", "{requests: {cpu: 100m, memory: 16Mi}}");
    } else if (rng.Chance(1, 4)) {
      cluster_.SetStatus("pods", "default", name, "{phase: Succeeded}");
    } else {
      cluster_.Delete("pods", "default", name, state::DeleteOptions{.grace_period_seconds = 0});
    }
    if (step % 40 == 7) cluster_.AddNode("n" + std::to_string(step));
    cluster_.Settle();
    const ClusterTable fresh(cluster_.store().view());
    ASSERT_EQ(table.nodes().size(), fresh.nodes().size());
    for (const auto& [node, info] : fresh.nodes()) {
      const NodeInfo& followed = *table.Find(node);
      ASSERT_EQ(followed.cpu_used, info.cpu_used) << node << " at step " << step;
      ASSERT_EQ(followed.memory_used, info.memory_used);
      ASSERT_EQ(followed.pods_used, info.pods_used);
      ASSERT_EQ(followed.pods_by_owner, info.pods_by_owner);
    }
  }
}

}  // namespace
}  // namespace scheduler
