#include <gtest/gtest.h>

#include <algorithm>

#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "reconciler/replica_sets.h"
#include "reconciler/testing/crash_everywhere.h"
#include "reconciler/testing/pod_runner.h"
#include "state/testing/test_cluster.h"

namespace reconciler {
namespace {

constexpr base::Duration kLongEnough = base::Duration::Minutes(2);

// `spec` is what stands beside selector and template: "replicas: 3, paused: true".
std::string Web(const std::string& image, const std::string& spec) {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {" + spec +
         ", selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
         "spec: {containers: [{name: web, image: \"" +
         image + "\"}]}}}\n";
}

std::vector<std::unique_ptr<Controller>> Controllers(const PodRules& rules) {
  std::vector<std::unique_ptr<Controller>> controllers;
  controllers.push_back(NewController("deployment"));
  controllers.push_back(NewController("replicaset"));
  controllers.push_back(NewPodRunner(rules));
  return controllers;
}

class DeploymentTest : public testing::Test {
 protected:
  DeploymentTest() {
    rules_.broken = [](const state::Object& pod) { return Image(pod) == "broken"; };
    cluster_.AddNode("n1");
    Start();
    cluster_.loop.OnTurn([this] { Watch(); });
  }
  void Start() {
    reconciler_.reset();
    reconciler_ = std::make_unique<Reconciler>(cluster_.loop, cluster_.store(), cluster_.Context(),
                                               Controllers(rules_));
  }
  static std::string Image(const state::Object& pod) {
    return std::string(pod["spec"]["containers"].At(0)["image"].AsString());
  }
  // Remembers the extremes of a rollout.
  void Watch() {
    int64_t pods = 0, ready = 0;
    std::string images;
    for (const state::ObjectPtr& pod : cluster_.store().view().List("pods")) {
      if (images.find(Image(*pod)) == std::string::npos) images += Image(*pod) + " ";
      if (pod->Deleting()) continue;
      ++pods;
      ready += state::Dig(pod->document.root(), "status.conditions[0].status").AsString() == "True";
    }
    most_pods_ = std::max(most_pods_, pods);
    least_ready_ = std::min(least_ready_, ready);
    mixed_ = mixed_ || images.find(' ') + 1 < images.size();
  }
  void Forget() {
    most_pods_ = 0;
    least_ready_ = 1000;
    mixed_ = false;
  }
  std::string Field(const char* path) {
    return cluster_.Field("deployments.apps", "default", "web", path);
  }
  // "replicas/updated/ready/available/unavailable".
  std::string Counts() {
    std::string text;
    for (const char* field : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                              "unavailableReplicas"})
      text += (text.empty() ? "" : "/") + Field((std::string("status.") + field).c_str());
    return text;
  }
  // "Available=True MinimumReplicasAvailable, Progressing=...".
  std::string Conditions() {
    std::string text;
    for (base::Value each :
         (*cluster_.Get("deployments.apps", "default", "web"))["status"]["conditions"].Elements()) {
      if (!text.empty()) text += ", ";
      text += std::string(each["type"].AsString()) + "=" + std::string(each["status"].AsString()) +
              " " + std::string(each["reason"].AsString());
    }
    return text;
  }
  // "image=replicas r1(history) of desired..max", by image.
  std::string Sets() {
    std::vector<std::string> lines;
    for (const state::ObjectPtr& set : cluster_.store().view().List("replicasets.apps")) {
      const base::Value notes = set->Meta("annotations");
      std::string line((*set)["spec"]["template"]["spec"]["containers"].At(0)["image"].AsString());
      line += "=" + std::to_string((*set)["spec"]["replicas"].AsInt()) + " r" +
              std::string(notes[kRevisionAnnotation].AsString());
      if (notes[kRevisionHistoryAnnotation].Exists())
        line += "(" + std::string(notes[kRevisionHistoryAnnotation].AsString()) + ")";
      lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : ", ") + line;
    return text;
  }
  std::string Revision() {
    const auto web = cluster_.Get("deployments.apps", "default", "web");
    return std::string(web->Meta("annotations")[kRevisionAnnotation].AsString());
  }

  PodRules rules_;
  state::TestCluster cluster_;
  std::unique_ptr<Reconciler> reconciler_;
  int64_t most_pods_ = 0, least_ready_ = 1000;
  bool mixed_ = false;
};

TEST_F(DeploymentTest, MakesAReplicaSetNamedByItsTemplateAndThenWritesNothing) {
  cluster_.Apply(Web("one", "replicas: 3"));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=3 r1");
  EXPECT_EQ(Counts(), "3/3/3/3/0");
  EXPECT_EQ(Conditions(),
            "Progressing=True NewReplicaSetAvailable, Available=True MinimumReplicasAvailable");
  EXPECT_EQ(Field("status.observedGeneration"), Field("metadata.generation"));
  EXPECT_EQ(Revision(), "1");
  const state::ObjectPtr set = *cluster_.store().view().List("replicasets.apps").begin();
  EXPECT_EQ(set->key.name, "web-" + std::string(set->Labels()[kTemplateHashLabel].AsString()));
  EXPECT_EQ((*set)["spec"]["selector"]["matchLabels"], set->Labels());
  const state::Revision revision = cluster_.store().revision();
  Start();
  cluster_.Settle(base::Duration::Minutes(30));
  EXPECT_EQ(cluster_.store().revision(), revision) << "a further pass writes nothing";
}

// Earlier plumbs stored a template as it was written, and made a set of just that.
TEST_F(DeploymentTest, ATemplateStoredOtherwiseIsTheSame) {
  cluster_.Apply(Web("one", "replicas: 3"));
  cluster_.Settle(kLongEnough);
  const state::ObjectPtr set = *cluster_.store().view().List("replicasets.apps").begin();
  base::Json old = set->document.ToJson();
  base::Json& spec = old["spec"]["template"]["spec"];
  spec.Set("volumes", base::Json::MakeArray());
  spec.Set("nodeSelector", base::Json::MakeObject());
  spec.Set("hostNetwork", false);
  state::Transaction transaction;
  transaction.writes.push_back({set->key, base::Document(old), set->revision});
  ASSERT_TRUE(cluster_.store().Commit(transaction).ok());
  Forget();
  Start();
  cluster_.Apply(Web("one", "replicas: 4"));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=4 r1");
  EXPECT_GE(least_ready_, 3) << "no pod was replaced";
}

TEST_F(DeploymentTest, RollingUpdateStaysWithinSurgeAndUnavailable) {
  struct Case {
    const char* limits;
    int64_t most, least;
  };
  for (const Case& c :
       {Case{"maxSurge: 1, maxUnavailable: 0", 5, 4}, Case{"maxSurge: 0, maxUnavailable: 1", 4, 3},
        Case{"maxSurge: 30%, maxUnavailable: 30%", 6, 3}}) {
    const std::string spec =
        std::string("replicas: 4, strategy: {rollingUpdate: {") + c.limits + "}}";
    cluster_.Apply(Web("one", spec));
    cluster_.Settle(kLongEnough);
    Forget();
    cluster_.Apply(Web("two", spec));
    cluster_.Settle(kLongEnough);
    EXPECT_EQ(std::to_string(most_pods_) + " " + std::to_string(least_ready_),
              std::to_string(c.most) + " " + std::to_string(c.least))
        << c.limits;
    EXPECT_EQ(Counts(), "4/4/4/4/0") << c.limits;
  }
}

TEST_F(DeploymentTest, MinReadySecondsHoldsBackEachStep) {
  const std::string spec =
      "replicas: 2, minReadySeconds: 20, strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: "
      "0}}";
  cluster_.Apply(Web("one", spec));
  cluster_.Settle(base::Duration::Seconds(15));
  EXPECT_EQ(Counts(), "2/2/2/0/2");
  cluster_.Settle(kLongEnough);
  cluster_.Apply(Web("two", spec));
  cluster_.Settle(base::Duration::Seconds(15));
  EXPECT_EQ(Sets(), "one=2 r1, two=1 r2");
  cluster_.Settle(base::Duration::Seconds(10));
  EXPECT_EQ(Sets(), "one=1 r1, two=2 r2");
  cluster_.Settle(base::Duration::Seconds(30));
  EXPECT_EQ(Sets(), "one=0 r1, two=2 r2");
}

TEST_F(DeploymentTest, RecreateNeverRunsTwoVersionsTogether) {
  rules_.ends_after = base::Duration::Seconds(10);
  Start();
  cluster_.Apply(Web("one", "replicas: 3, strategy: {type: Recreate}"));
  cluster_.Settle(kLongEnough);
  Forget();
  cluster_.Apply(Web("two", "replicas: 3, strategy: {type: Recreate}"));
  cluster_.Settle(base::Duration::Seconds(5));
  EXPECT_EQ(Sets(), "one=0 r1");
  cluster_.Settle(kLongEnough);
  EXPECT_FALSE(mixed_);
  EXPECT_EQ(Sets(), "one=0 r1, two=3 r2");
  EXPECT_EQ(Counts(), "3/3/3/3/0");
}

TEST_F(DeploymentTest, ABrokenVersionKeepsTheOldOneServingAndRunsIntoItsDeadline) {
  const std::string spec =
      "replicas: 4, progressDeadlineSeconds: 60, strategy: {rollingUpdate: {maxSurge: 1, "
      "maxUnavailable: 1}}";
  cluster_.Apply(Web("one", spec));
  cluster_.Settle(kLongEnough);
  Forget();
  cluster_.Apply(Web("broken", spec));
  cluster_.Settle(base::Duration::Seconds(50));
  EXPECT_EQ(Conditions(),
            "Progressing=True ReplicaSetUpdated, Available=True MinimumReplicasAvailable");
  cluster_.Settle(base::Duration::Seconds(15));
  EXPECT_EQ(Conditions(),
            "Progressing=False ProgressDeadlineExceeded, Available=True MinimumReplicasAvailable");
  EXPECT_EQ(Sets(), "broken=2 r2, one=3 r1");
  EXPECT_EQ(least_ready_, 3);
  // A fix gets rid of the pods that never worked first.
  Forget();
  cluster_.Apply(Web("two", spec));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "broken=0 r2, one=0 r1, two=4 r3");
  EXPECT_GE(least_ready_, 3);
  EXPECT_EQ(Conditions(),
            "Progressing=True NewReplicaSetAvailable, Available=True MinimumReplicasAvailable");
}

TEST_F(DeploymentTest, UndoFindsTheOldReplicaSetAndGivesItTheNextRevision) {
  for (const char* image : {"one", "two", "one"}) {
    cluster_.Apply(Web(image, "replicas: 2"));
    cluster_.Settle(kLongEnough);
  }
  EXPECT_EQ(Sets(), "one=2 r3(1), two=0 r2");
  EXPECT_EQ(Revision(), "3");
  EXPECT_EQ(Counts(), "2/2/2/2/0");
}

TEST_F(DeploymentTest, UndoAfterAMissedDeadlineIsProgressAgain) {
  const std::string spec = "replicas: 2, progressDeadlineSeconds: 30";
  cluster_.Apply(Web("one", spec));
  cluster_.Settle(kLongEnough);
  cluster_.Apply(Web("broken", spec));
  cluster_.Settle(kLongEnough);
  EXPECT_NE(Conditions().find("ProgressDeadlineExceeded"), std::string::npos);
  cluster_.Apply(Web("one", spec));
  cluster_.loop.RunUntil([&] { return Field("status.observedGeneration") == "3"; }, kLongEnough);
  EXPECT_EQ(Conditions().find("ProgressDeadlineExceeded"), std::string::npos);
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Conditions(),
            "Progressing=True NewReplicaSetAvailable, Available=True MinimumReplicasAvailable");
}

TEST_F(DeploymentTest, PausedScalesButDoesNotRoll) {
  cluster_.Apply(Web("one", "replicas: 2"));
  cluster_.Settle(kLongEnough);
  cluster_.Apply(Web("two", "replicas: 4, paused: true"));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=4 r1");
  EXPECT_EQ(Conditions(),
            "Progressing=Unknown DeploymentPaused, Available=True MinimumReplicasAvailable");
  cluster_.Apply(Web("two", "replicas: 4"));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=0 r1, two=4 r2");
}

TEST_F(DeploymentTest, ScalingAmidARolloutKeepsTheProportions) {
  const std::string strategy = ", strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 2}}";
  cluster_.Apply(Web("one", "replicas: 10" + strategy));
  cluster_.Settle(kLongEnough);
  cluster_.Apply(Web("broken", "replicas: 10" + strategy));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "broken=5 r2, one=8 r1");
  cluster_.Apply(Web("broken", "replicas: 15" + strategy));
  cluster_.Settle(base::Duration::Millis(100));
  EXPECT_EQ(Sets(), "broken=7 r2, one=11 r1");
}

TEST_F(DeploymentTest, OldReplicaSetsBeyondTheHistoryLimitGo) {
  for (const char* image : {"one", "two", "three", "four"}) {
    cluster_.Apply(Web(image, "replicas: 1, revisionHistoryLimit: 1"));
    cluster_.Settle(kLongEnough);
  }
  EXPECT_EQ(Sets(), "four=1 r4, three=0 r3");
}

TEST_F(DeploymentTest, AdoptsAReplicaSetThatMatches) {
  cluster_.Apply(
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: stray, labels: {app: web}}\n"
      "spec: {replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: "
      "{app: web}}, spec: {containers: [{name: web, image: one}]}}}\n");
  cluster_.Apply(Web("one", "replicas: 2"));
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=2 r1");
  EXPECT_EQ(
      cluster_.Field("replicasets.apps", "default", "stray", "metadata.ownerReferences[0].name"),
      "\"web\"");
}

TEST_F(DeploymentTest, ATakenNameIsACollisionAndCounted) {
  cluster_.Apply(Web("one", "replicas: 1"));
  cluster_.Settle(kLongEnough);
  const std::string name = (*cluster_.store().view().List("replicasets.apps").begin())->key.name;
  cluster_.Delete("replicasets.apps", "default", name);
  cluster_.Apply(
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: " + name +
      ", labels: {app: x}}\n"
      "spec: {replicas: 0, selector: {matchLabels: {app: x}}, template: {metadata: {labels: "
      "{app: x}}, spec: {containers: [{name: web, image: other}]}}}\n");
  cluster_.Settle(kLongEnough);
  EXPECT_EQ(Sets(), "one=1 r1, other=0 r");
  EXPECT_EQ(Field("status.collisionCount"), "1");
}

TEST_F(DeploymentTest, EventsTellWhatWasScaled) {
  cluster_.Apply(Web("one", "replicas: 2"));
  cluster_.Settle(kLongEnough);
  std::string messages;
  for (const state::ObjectPtr& event : cluster_.store().view().List("events")) {
    if ((*event)["reason"].AsString() == "ScalingReplicaSet")
      messages += (*event)["message"].AsString();
  }
  const std::string name = (*cluster_.store().view().List("replicasets.apps").begin())->key.name;
  EXPECT_EQ(messages, "Scaled up replica set " + name + " from 0 to 2");
}

TEST_F(DeploymentTest, EndsTheSameWhereverItCrashes) {
  CrashScenario scenario;
  for (const char* image : {"one", "two", "one"}) {
    scenario.steps.push_back([image](state::TestCluster& cluster) {
      cluster.Apply(Web(image, "replicas: 3, minReadySeconds: 3"));
    });
  }
  scenario.controllers = [] { return Controllers(PodRules()); };
  EXPECT_GT(ExpectSameEndWhereverItCrashes(scenario), 40u);
}

}  // namespace
}  // namespace reconciler
