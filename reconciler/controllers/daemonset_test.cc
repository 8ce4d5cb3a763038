#include <algorithm>

#include "reconciler/testing/controller_test.h"
#include "reconciler/testing/pod_runner.h"

namespace reconciler {
namespace {

// The template's nodeSelector and the node's taints, tolerations aside: what the scheduler knows
// better.
DaemonFit Fit(base::Value pod_spec, const state::Object& node) {
  for (const auto& [key, value] : pod_spec["nodeSelector"].Members()) {
    if (node.Labels()[key].AsString() != value.AsString()) return {false, false};
  }
  DaemonFit fit;
  for (base::Value taint : node["spec"]["taints"].Elements()) {
    fit.should_run = false;
    if (taint["effect"].AsString() == "NoExecute") fit.should_continue = false;
  }
  return fit;
}

// `spec` is what stands beside selector and template, `pod` beside the containers.
std::string WebDaemon(const std::string& image, const std::string& spec = "",
                      const std::string& pod = "") {
  return "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web}\nspec: {" + spec +
         (spec.empty() ? "" : ", ") +
         "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {" +
         pod + (pod.empty() ? "" : ", ") + "containers: [{name: web, image: \"" + image +
         "\"}]}}}\n";
}

std::string Image(const state::Object& pod) {
  return std::string(pod["spec"]["containers"].At(0)["image"].AsString());
}

class DaemonSetTest : public ControllerTest {
 protected:
  DaemonSetTest() {
    for (const char* node : {"n1", "n2", "n3"}) cluster_->AddNode(node);
    cluster_->loop.OnTurn([this] { Watch(); });
  }
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("daemonset", {.daemon_fit = Fit}));
    controllers.push_back(
        NewPodRunner({.broken = [](const state::Object& pod) { return Image(pod) == "broken"; }}));
    return controllers;
  }

  // "n1=image n2=image", without pods that are ending; "*" marks one that is not ready.
  std::string Pods() const {
    std::vector<std::string> pods;
    for (const state::ObjectPtr& pod : cluster_->store().view().List("pods")) {
      if (pod->Deleting()) continue;
      const bool ready = (*pod)["status"]["conditions"].At(0)["status"].AsString() == "True";
      pods.push_back(std::string((*pod)["spec"]["nodeName"].AsString()) + "=" + Image(*pod) +
                     (ready ? "" : "*"));
    }
    std::sort(pods.begin(), pods.end());
    std::string text;
    for (const std::string& pod : pods) text += (text.empty() ? "" : " ") + pod;
    return text;
  }
  std::string Field(const std::string& path) {
    return cluster_->Field("daemonsets.apps", "default", "web", path);
  }
  // "desired/current/misscheduled/ready/updated/available/unavailable".
  std::string Counts() {
    std::string text;
    for (const char* field :
         {"desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled", "numberReady",
          "updatedNumberScheduled", "numberAvailable", "numberUnavailable"})
      text += (text.empty() ? "" : "/") + Field(std::string("status.") + field);
    return text;
  }
  // "1=image 3=image", by number.
  std::string History() {
    std::vector<std::string> revisions;
    for (const state::ObjectPtr& each : cluster_->store().view().List("controllerrevisions.apps")) {
      revisions.push_back(
          std::to_string((*each)["revision"].AsInt()) + "=" +
          std::string(
              state::Dig((*each)["data"], "spec.template.spec.containers[0].image").AsString()));
    }
    std::sort(revisions.begin(), revisions.end());
    std::string text;
    for (const std::string& each : revisions) text += (text.empty() ? "" : " ") + each;
    return text;
  }
  std::string PodOn(const std::string& node) {
    for (const state::ObjectPtr& pod : cluster_->store().view().Lookup(state::Index::kNode, node))
      if (!pod->Deleting()) return pod->key.name;
    return "";
  }
  void SetNode(const std::string& name, const std::string& labels, const std::string& spec = "{}") {
    const std::string status =
        cluster_->Get("nodes", "", name)->document["status"].ToJson().ToString();
    cluster_->Apply("apiVersion: v1\nkind: Node\nmetadata: {name: " + name + ", labels: " + labels +
                    "}\nspec: " + spec + "\nstatus: " + status + "\n");
  }

  // Remembers the extremes of an update: nodes with a ready pod, and pods at once.
  void Watch() {
    std::map<std::string, int> ready;
    int64_t pods = 0;
    for (const state::ObjectPtr& pod : cluster_->store().view().List("pods")) {
      if (pod->Deleting()) continue;
      ++pods;
      if ((*pod)["status"]["conditions"].At(0)["status"].AsString() == "True")
        ++ready[std::string((*pod)["spec"]["nodeName"].AsString())];
    }
    least_ready_ = std::min(least_ready_, static_cast<int64_t>(ready.size()));
    most_pods_ = std::max(most_pods_, pods);
  }
  void Forget() {
    least_ready_ = 1000;
    most_pods_ = 0;
  }
  std::string Extremes() const {
    return std::to_string(least_ready_) + ".." + std::to_string(most_pods_);
  }

  int64_t least_ready_ = 1000, most_pods_ = 0;
};

TEST_F(DaemonSetTest, HasOnePodOnEachNodeAndThenWritesNothing) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  EXPECT_EQ(Pods(), "n1=one n2=one n3=one");
  EXPECT_EQ(Counts(), "3/3/0/3/3/3/0");
  EXPECT_EQ(Field("status.observedGeneration") + Field("metadata.generation"), "11");
  EXPECT_EQ(History(), "1=one");
  ExpectNothingMoreToWrite();
}

TEST_F(DaemonSetTest, ItsPodsAreMadeForTheirNodesAndBearWhatDaemonsBear) {
  Start();
  cluster_->Apply(WebDaemon("one", "",
                            "hostNetwork: true, tolerations: [{key: node.kubernetes.io/not-ready, "
                            "operator: Exists, effect: NoExecute, tolerationSeconds: 5}]"));
  Settle(10);
  const std::string pod = PodOn("n2");
  EXPECT_EQ(cluster_->Field("pods", "default", pod,
                            "spec.affinity.nodeAffinity."
                            "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
            R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}])");
  std::string borne;
  for (base::Value each :
       (*cluster_->Get("pods", "default", pod))["spec"]["tolerations"].Elements())
    borne += std::string(each["key"].AsString().substr(19)) + ":" +
             std::string(each["effect"].AsString()) +
             (each["tolerationSeconds"].Exists() ? " for a while\n" : "\n");
  EXPECT_EQ(borne,
            "not-ready:NoExecute\nunreachable:NoExecute\ndisk-pressure:NoSchedule\n"
            "memory-pressure:NoSchedule\npid-pressure:NoSchedule\nunschedulable:NoSchedule\n"
            "network-unavailable:NoSchedule\n");
}

TEST_F(DaemonSetTest, FollowsNodesThatComeGoAndChange) {
  Start();
  cluster_->Apply(WebDaemon("one", "", "nodeSelector: {disk: fast}"));
  Settle(10);
  EXPECT_EQ(Pods() + "|" + Counts(), "|0/0/0/0/0/0/0");
  SetNode("n2", "{disk: fast}");
  Settle(10);
  EXPECT_EQ(Pods(), "n2=one");
  cluster_->AddNode("n4");
  SetNode("n4", "{disk: fast}");
  Settle(10);
  EXPECT_EQ(Pods(), "n2=one n4=one");
  SetNode("n2", "{disk: slow}");
  Settle(10);
  EXPECT_EQ(Pods(), "n4=one");
  ExpectNothingMoreToWrite();
}

TEST_F(DaemonSetTest, ATaintKeepsNewPodsOffAndNoExecuteDrivesThemOff) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  SetNode("n2", "{}", "{taints: [{key: away, effect: NoSchedule}]}");
  Settle(10);
  EXPECT_EQ(Pods() + "|" + Counts(), "n1=one n2=one n3=one|2/2/1/2/2/2/0");
  cluster_->Delete("pods", "default", PodOn("n2"));
  Settle(10);
  EXPECT_EQ(Pods(), "n1=one n3=one");
  SetNode("n1", "{}", "{taints: [{key: away, effect: NoExecute}]}");
  Settle(10);
  EXPECT_EQ(Pods() + "|" + Counts(), "n3=one|1/1/0/1/1/1/0");
}

TEST_F(DaemonSetTest, APodOfANodeThatIsGoneAndNeverTookItGoes) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  cluster_->AddNode("n4");
  cluster_->loop.RunUntil([&] { return cluster_->Names("pods") != ""; },
                          base::Duration::Seconds(1));
  cluster_->Delete("nodes", "", "n4");
  Settle(10);
  EXPECT_EQ(Counts().substr(0, 6), "3/3/0/");
}

TEST_F(DaemonSetTest, RollingUpdateReplacesOneNodeAfterTheOther) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(20);
  Forget();
  cluster_->Apply(WebDaemon("two"));
  Settle(60);
  EXPECT_EQ(Pods() + "|" + Extremes(), "n1=two n2=two n3=two|2..3");
  EXPECT_EQ(Counts() + "|" + History(), "3/3/0/3/3/3/0|1=one 2=two");
  ExpectNothingMoreToWrite();
}

TEST_F(DaemonSetTest, AnUpdateThatDoesNotWorkStopsAtMaxUnavailable) {
  Start();
  cluster_->Apply(WebDaemon("one", "minReadySeconds: 2"));
  Settle(20);
  cluster_->Apply(WebDaemon("broken", "minReadySeconds: 2"));
  Settle(300);
  EXPECT_EQ(Pods() + "|" + Counts(), "n1=broken* n2=one n3=one|3/3/0/2/1/2/1");
  cluster_->Apply(WebDaemon("one", "minReadySeconds: 2"));
  Settle(60);
  EXPECT_EQ(Pods() + "|" + History(), "n1=one n2=one n3=one|2=broken 3=one")
      << "the template that comes back takes the next number";
}

TEST_F(DaemonSetTest, SurgeNeverLeavesANodeWithoutAReadyPod) {
  const std::string surge =
      "minReadySeconds: 3, updateStrategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}";
  Start();
  cluster_->Apply(WebDaemon("one", surge));
  Settle(20);
  Forget();
  cluster_->Apply(WebDaemon("two", surge));
  Settle(120);
  EXPECT_EQ(Pods() + "|" + Extremes(), "n1=two n2=two n3=two|3..5");
}

TEST_F(DaemonSetTest, OnDeleteReplacesAPodWhenSomebodyDeletesIt) {
  const std::string on_delete = "updateStrategy: {type: OnDelete}";
  Start();
  cluster_->Apply(WebDaemon("one", on_delete));
  Settle(20);
  cluster_->Apply(WebDaemon("two", on_delete));
  Settle(20);
  EXPECT_EQ(Pods() + "|" + Counts(), "n1=one n2=one n3=one|3/3/0/3/0/3/0");
  cluster_->Delete("pods", "default", PodOn("n2"));
  Settle(20);
  EXPECT_EQ(Pods() + "|" + Counts(), "n1=one n2=two n3=one|3/3/0/3/1/3/0");
}

TEST_F(DaemonSetTest, APodThatFailsIsReplacedEachTimeLater) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  std::vector<int64_t> waits;
  for (int i = 0; i < 4; ++i) {
    const std::string pod = PodOn("n2");
    ASSERT_NE(pod, "") << i;
    cluster_->SetStatus("pods", "default", pod,
                        "{phase: Failed, containerStatuses: [{name: web, state: {terminated: "
                        "{exitCode: 1, finishedAt: \"" +
                            cluster_->loop.now().wall.ToString() + "\"}}}]}");
    const base::MonotonicTime failed = cluster_->loop.now().monotonic;
    ASSERT_TRUE(cluster_->loop.RunUntil([&] { return PodOn("n2") != pod && PodOn("n2") != ""; },
                                        base::Duration::Minutes(1)));
    waits.push_back((cluster_->loop.now().monotonic - failed).seconds());
  }
  EXPECT_EQ(waits[0], 0);
  EXPECT_TRUE(waits[1] <= 1 && waits[2] >= 1 && waits[2] <= 2 && waits[3] >= 3 && waits[3] <= 4)
      << waits[1] << " " << waits[2] << " " << waits[3];
  Settle(20);
  EXPECT_EQ(Pods(), "n1=one n2=one n3=one");
}

TEST_F(DaemonSetTest, KeepsAsManyRevisionsAsItsLimitAndThoseInUse) {
  const std::string spec = "revisionHistoryLimit: 1, updateStrategy: {type: OnDelete}";
  Start();
  for (const char* image : {"one", "two", "three", "four"}) {
    cluster_->Apply(WebDaemon(image, spec));
    Settle(10);
  }
  EXPECT_EQ(History(), "1=one 4=four") << "pods of the first are there";
  for (const char* node : {"n1", "n2", "n3"}) cluster_->Delete("pods", "default", PodOn(node));
  Settle(20);
  cluster_->Apply(WebDaemon("five", spec));
  Settle(10);
  EXPECT_EQ(History(), "4=four 5=five");
}

TEST_F(DaemonSetTest, ATakenNameIsACollisionAndCounted) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  base::Json revision =
      (*cluster_->store().view().List("controllerrevisions.apps").begin())->document.ToJson();
  cluster_->Delete("daemonsets.apps", "default", "web");
  for (const state::ObjectPtr& each : cluster_->store().view().List("controllerrevisions.apps"))
    cluster_->Delete("controllerrevisions.apps", "default", each->key.name);
  Settle(10);
  revision.Set("data", base::Json::MakeObject({{"of", "another"}}));
  revision["metadata"] =
      base::Json::MakeObject({{"name", revision["metadata"]["name"]}, {"namespace", "default"}});
  state::Draft draft(cluster_->store().view(), cluster_->Context());
  ASSERT_TRUE(draft.Create(revision).ok());
  ASSERT_TRUE(cluster_->store().Commit(draft.Finish()).ok());
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  EXPECT_EQ(Field("status.collisionCount") + Field("status.numberReady"), "13");
  ExpectNothingMoreToWrite();
}

TEST_F(DaemonSetTest, AdoptsAPodForANodeAndOneOfSeveralStays) {
  cluster_->Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: orphan, labels: {app: web}}\n"
      "spec: {nodeName: n2, containers: [{name: c, image: orphan}]}\n");
  Settle(5);
  Start();
  cluster_->Apply(WebDaemon("one", "updateStrategy: {type: OnDelete}"));
  Settle(10);
  EXPECT_EQ(Pods(), "n1=one n2=orphan n3=one");
}

TEST_F(DaemonSetTest, EndsTheSameWhereverItCrashes) {
  CrashScenario scenario;
  scenario.controllers = [this] { return Controllers(); };
  scenario.arrange = [](state::TestCluster& cluster) {
    for (const char* node : {"n1", "n2"}) cluster.AddNode(node);
  };
  scenario.steps = {
      [](state::TestCluster& cluster) { cluster.Apply(WebDaemon("one")); },
      [](state::TestCluster& cluster) {
        cluster.Apply(WebDaemon("two",
                                "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: "
                                "0}}"));
      },
      [](state::TestCluster& cluster) { cluster.AddNode("n3"); },
      [](state::TestCluster& cluster) { cluster.Apply(WebDaemon("one")); }};
  EXPECT_GT(reconciler::ExpectSameEndWhereverItCrashes(scenario), 30u);
}

// Earlier plumbs stored a template as it was written, and its revision with it.
TEST_F(DaemonSetTest, ARevisionStoredOtherwiseIsTheSame) {
  Start();
  cluster_->Apply(WebDaemon("one"));
  Settle(10);
  const std::string pods = cluster_->Names("pods");
  const state::ObjectPtr revision =
      *cluster_->store().view().List("controllerrevisions.apps").begin();
  base::Json old = revision->document.ToJson();
  old["data"]["spec"]["template"]["spec"].Set("volumes", base::Json::MakeArray());
  state::Transaction transaction;
  transaction.writes.push_back({revision->key, base::Document(old), revision->revision});
  ASSERT_TRUE(cluster_->store().Commit(transaction).ok());
  cluster_->Apply(WebDaemon("one", "minReadySeconds: 1"));
  Settle(10);
  EXPECT_EQ(cluster_->Names("controllerrevisions.apps"), "default/" + revision->key.name);
  EXPECT_EQ(cluster_->Names("pods"), pods);
}

}  // namespace
}  // namespace reconciler
