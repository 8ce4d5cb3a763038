#include <gtest/gtest.h>

#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "state/testing/test_cluster.h"

namespace reconciler {
namespace {

constexpr char kSet[] = R"(
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";

class ReplicaSetTest : public testing::Test {
 protected:
  ReplicaSetTest() { Start(); }
  void Start() {
    reconciler_.reset();
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("replicaset"));
    reconciler_ = std::make_unique<Reconciler>(cluster_.loop, cluster_.store(), cluster_.Context(),
                                               std::move(controllers));
  }
  size_t Pods() const {
    size_t count = 0;
    for (const state::ObjectPtr& pod : cluster_.store().view().List("pods"))
      count += !pod->Deleting();
    return count;
  }
  std::string Status(const char* field) {
    return cluster_.Field("replicasets.apps", "default", "web", field);
  }

  state::TestCluster cluster_;
  std::unique_ptr<Reconciler> reconciler_;
};

TEST_F(ReplicaSetTest, MakesAsManyPodsAsAskedForAndThenNothing) {
  cluster_.Apply(kSet);
  cluster_.Settle();
  EXPECT_EQ(Pods(), 3u);
  EXPECT_EQ(Status("status.replicas"), "3");
  const state::Revision revision = cluster_.store().revision();
  Start();
  cluster_.Settle(base::Duration::Minutes(10));
  EXPECT_EQ(cluster_.store().revision(), revision) << "a further pass writes nothing";
}

TEST_F(ReplicaSetTest, ReplacesAPodThatIsGone) {
  cluster_.Apply(kSet);
  cluster_.Settle();
  const std::string names = cluster_.Names("pods");
  cluster_.Delete("pods", "default", names.substr(8, names.find(' ') - 8));
  cluster_.Settle();
  EXPECT_EQ(Pods(), 3u);
  EXPECT_NE(cluster_.Names("pods"), names);
}

TEST_F(ReplicaSetTest, ScalesDownByThePodThatIsWorthLeast) {
  cluster_.AddNode("n1");
  cluster_.Apply(kSet);
  cluster_.Settle();
  std::vector<std::string> names;
  for (const state::ObjectPtr& pod : cluster_.store().view().List("pods"))
    names.push_back(pod->key.name);
  for (int i : {0, 2}) cluster_.Bind("default", names[static_cast<size_t>(i)], "n1");
  cluster_.Apply(
      std::string(kSet).replace(std::string(kSet).find("replicas: 3"), 11, "replicas: 2"));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("pods"), "default/" + names[0] + " default/" + names[2]);
}

TEST_F(ReplicaSetTest, AdoptsAPodThatMatchesAndReleasesOneThatNoLongerDoes) {
  cluster_.Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: orphan, labels: {app: web}}\n"
      "spec: {containers: [{name: web, image: x}]}\n");
  cluster_.Apply(kSet);
  cluster_.Settle();
  EXPECT_EQ(Pods(), 3u);
  EXPECT_EQ(cluster_.Field("pods", "default", "orphan", "metadata.ownerReferences[0].name"),
            "\"web\"");
  base::Json pod = cluster_.Get("pods", "default", "orphan")->document.ToJson();
  pod["metadata"]["labels"].Set("app", "other");
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(draft.Update(pod).ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  cluster_.Settle();
  EXPECT_EQ(Pods(), 4u);
  EXPECT_EQ(cluster_.Field("pods", "default", "orphan", "metadata.ownerReferences[0]"), "absent");
}

TEST_F(ReplicaSetTest, SaysWhyAPodCannotBeMadeAndGoesOnWhenItCan) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 2}}\n");
  cluster_.Apply(kSet);
  cluster_.Settle();
  EXPECT_EQ(Pods(), 2u);
  EXPECT_NE(Status("status.conditions[0].message")
                .find("exceeded quota q: pods: requested 1, used 2, limited to 2"),
            std::string::npos);
  cluster_.Delete("resourcequotas", "default", "q");
  cluster_.Settle(base::Duration::Seconds(30));
  EXPECT_EQ(Pods(), 3u);
  EXPECT_EQ(Status("status.conditions[0]"), "absent");
}

TEST_F(ReplicaSetTest, EndsTheSameWhereverItCrashes) {
  for (uint64_t crash_after = 0; crash_after < 6; ++crash_after) {
    cluster_.Apply(kSet);
    for (uint64_t i = 0; i < crash_after; ++i) cluster_.loop.RunFor(base::Duration::Millis(2));
    reconciler_.reset();
    cluster_.Crash();
    if (cluster_.Get("namespaces", "", "default") == nullptr) cluster_.AddNamespace("default");
    Start();
    cluster_.Apply(kSet);
    cluster_.Settle(base::Duration::Minutes(1));
    EXPECT_EQ(Pods(), 3u) << "crash after " << crash_after;
  }
}

}  // namespace
}  // namespace reconciler
