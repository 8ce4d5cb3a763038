// A row a case: how far a deploy has come, and what is next for it.
#include "gitsync/deploy/deploy_plan.h"

#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "gitsync/testing/manifests.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

const state::Key kWebKey{"deployments.apps", "default", "web"};

base::MonotonicTime At(int64_t seconds) {
  return base::MonotonicTime::FromNanos(base::Duration::Seconds(seconds).nanos());
}

class DeployPlanTest : public testing::Test {
 protected:
  DeployPlanTest() {
    cluster_.AddNamespace("team");
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(CreateRepository(draft, "site", {}, "https://s/git/site.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    deploy_.application = "site";
    deploy_.asked = true;
  }

  void Spec(const std::string& more) {
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: site, "
        "namespace: plumb-system}\nspec: {interval: 10m, prune: true, sourceRef: {kind: "
        "GitRepository, name: site}, " +
        more + "}\n");
  }

  void Record(const Deploy& deploy) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(RecordDeploy(draft, "site", deploy).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  // As a worker answers.
  void Read(const std::string& yaml = kWeb, bool planned = true) {
    Discovery discovery;
    discovery.files.push_back(ManifestFile{"a.yaml", yaml, yaml.size()});
    ParseCache cache;
    auto set = std::make_shared<ManifestSet>(
        *ReadManifests(discovery, ApplicationScope(), cluster_.schema, cache,
                       [](const std::string& oid) { return base::Result<std::string>(oid); }));
    set->commit = "0123456789abcdef";
    set->tree = "tree";
    auto sets = std::make_shared<SourceSets>();
    sets->commit = set->commit;
    sets->sets["site"] = set;
    Reading reading;
    reading.at = cluster_.store().revision();
    reading.sets = sets;
    reading.application = *ReadApplication(cluster_.store().view(), "site");
    reading.application->inventory =
        ReadInventory(cluster_.store().view(), *cluster_.schema, "site");
    if (planned) {
      reading.plan =
          PlanSync(cluster_.store().view(), *reading.application, *set, {}, cluster_.Context());
    }
    deploy_.reading = std::move(reading);
  }

  void Apply() {
    Read();
    EXPECT_TRUE(cluster_.store().Commit(deploy_.reading->plan->transaction).ok());
    deploy_.applied = deploy_.complete = true;
    deploy_.unhealthy = {kWebKey};
    deploy_.deadline = At(900);
  }

  std::string Next(int64_t second = 0) {
    using Act = DeployStep::Act;
    const DeployStep step = NextStep(cluster_.store().view(), tables_, deploy_, At(second));
    const std::string why = step.message.empty() ? "" : ": " + step.message;
    switch (step.act) {
      case Act::kIdle: return "idle";
      case Act::kRead: return "read";
      case Act::kPlan: return "plan";
      case Act::kBegin: return "begin " + RevisionOf(cluster_.store().view(), deploy_);
      case Act::kCommit: return "commit";
      case Act::kAwait: return "await" + why;
      case Act::kWait: return "wait until " + std::to_string(step.at.nanos() / 1'000'000'000) + why;
      case Act::kFetchLog: return "fetch the log of " + step.trouble->container;
      case Act::kSettle: return std::string(PhaseName(step.phase)) + why;
      case Act::kRetry: return "retry" + why;
      case Act::kGiveUp: return "give up" + why;
      case Act::kRest: return "rest" + why;
    }
    return "";
  }

  state::TestCluster cluster_;
  SharedTables tables_;
  DeployState deploy_;
};

TEST_F(DeployPlanTest, FirstTheHeadIsRead) {
  EXPECT_EQ(Next(), "read");
  deploy_.busy = true;
  EXPECT_EQ(Next(), "idle");
}

TEST_F(DeployPlanTest, WhatCannotBeActedOnIsGivenUp) {
  Spec("path: ../x");
  EXPECT_EQ(Next(),
            "give up: spec.path of the Kustomization: \"../x\" may lead out of the repository; "
            "write it without \"..\", from the root of the repository");
  Spec("suspend: true");
  EXPECT_EQ(Next(),
            "rest: not applied: the repository is suspended; set spec.suspend of its Kustomization "
            "to false to go on");
}

TEST_F(DeployPlanTest, APushIsRecordedBeforeItIsRead) {
  deploy_.pushed = "4567";
  EXPECT_EQ(Next(), "begin main@sha1:4567");
  Record({.revision = "main@sha1:4567"});
  EXPECT_EQ(Next(), "read");
}

TEST_F(DeployPlanTest, ABranchWithoutACommitIsLeft) {
  deploy_.reading = Reading{.status = base::Status(base::Code::kNotFound, "x"), .nothing = true};
  EXPECT_EQ(Next(), "rest: nothing to deploy");
}

TEST_F(DeployPlanTest, WhatCouldNotBeReadIsTriedAgain) {
  deploy_.reading = Reading{.status = base::Status(base::Code::kUnavailable, "no disk")};
  EXPECT_EQ(Next(), "retry: no disk");
  deploy_.reading.reset();
  deploy_.retry_at = At(10);
  EXPECT_EQ(Next(9), "wait until 10");
  EXPECT_EQ(Next(10), "read");
}

TEST_F(DeployPlanTest, APlanThatHoldsIsCommittedAsItIs) {
  Read();
  EXPECT_EQ(Next(), "commit");
  deploy_.pushed = "0123456789abcdef";  // of which it is the verdict's
  EXPECT_EQ(Next(), "commit");
}

TEST_F(DeployPlanTest, APlanThatHoldsNoMoreIsMadeAgain) {
  Read();
  cluster_.Apply(kWeb);
  EXPECT_EQ(Next(), "plan");
  deploy_.stale = kMaxStalePlans;
  EXPECT_EQ(Next(), "retry: what it changes was changed each time it was planned");
  // Of many objects, by a worker the first time.
  deploy_.stale = 0;
  deploy_.reading->plan->basis.objects.resize(kMaxPlannedOnLoop + 1);
  EXPECT_EQ(Next(), "read");
  deploy_.stale = 1;
  EXPECT_EQ(Next(), "plan");
}

TEST_F(DeployPlanTest, NoTwoRevisionsAreSaidToBeOnTheirWay) {
  Record({.revision = "main@sha1:before"});
  Read();
  EXPECT_EQ(Next(), "commit");  // which says so
  deploy_.reading->plan->complete = false;
  EXPECT_EQ(Next(), "begin main@sha1:0123456789abcdef");
}

TEST_F(DeployPlanTest, APushBackToWhatIsAppliedIsRecordedToo) {
  Read();
  ASSERT_TRUE(cluster_.store().Commit(deploy_.reading->plan->transaction).ok());
  Record({.revision = "main@sha1:0123456789abcdef", .phase = DeployPhase::kHealthy});
  Record({.revision = "main@sha1:bad", .phase = DeployPhase::kFailed});
  Read();
  EXPECT_EQ(Next(), "commit");
  deploy_.pushed = "0123456789abcdef";
  EXPECT_EQ(Next(), "begin main@sha1:0123456789abcdef");
}

TEST_F(DeployPlanTest, ADependencyIsAwaitedThenItIsPlanned) {
  Spec("dependsOn: [{name: base}]");
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(CreateRepository(draft, "base", {}, "https://s/git/base.git").ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  Read(kWeb, /*planned=*/false);
  EXPECT_EQ(Next(), "await: it depends on application base, which is not ready");
  cluster_.SetStatus(kKustomizations, kSystemNamespace, "base",
                     "{conditions: [{type: Ready, status: \"True\", reason: X, message: x, "
                     "lastTransitionTime: \"2026-01-01T00:00:00Z\"}], history: "
                     "[{lastReconciledStatus: ReconciliationSucceeded, metadata: {revision: a}}]}");
  EXPECT_EQ(Next(), "read");
}

TEST_F(DeployPlanTest, ChangedApplicationsAreReadAnew) {
  Read();
  state::Change change;
  change.revision = cluster_.store().revision() + 1;
  change.object = cluster_.Get(kKustomizations, kSystemNamespace, "site");
  tables_.Note(change);
  EXPECT_EQ(Next(), "read");
}

TEST_F(DeployPlanTest, MistakesAreTriedAgainAndAMissingPathIsAFailure) {
  Read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndat: {}\n");
  EXPECT_EQ(Next(), "retry: a.yaml:4:1: dat: unknown field; did you mean data?");
  auto set = std::make_shared<ManifestSet>(*deploy_.reading->set());
  set->missing = true;
  auto sets = std::make_shared<SourceSets>(*deploy_.reading->sets);
  sets->sets["site"] = set;
  deploy_.reading->sets = sets;
  EXPECT_EQ(Next(), "failed: not applied: a.yaml:4:1: dat: unknown field; did you mean data?");
}

TEST_F(DeployPlanTest, WhatBeginsToActIsHeldUntilItIsAskedFor) {
  Apply();
  deploy_ = DeployState{.application = "site"};
  cluster_.SetStatus(kKustomizations, kSystemNamespace, "site",
                     "{lastAppliedRevision: \"main@sha1:0123456789abcdef\"}");
  Spec("targetNamespace: team");
  Read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
  EXPECT_EQ(Next(),
            "give up: held: sourceRef, path and targetNamespace of the Kustomization act since "
            "this version of plumb, which would change or prune 2 objects; push a commit, or run "
            "plumb sync site, to have it done");
  deploy_.asked = true;
  EXPECT_EQ(Next(), "commit");
}

TEST_F(DeployPlanTest, WhatIsAppliedIsWaitedFor) {
  Apply();
  EXPECT_EQ(Next(10), "wait until 900: waiting for what was applied to become healthy");
  EXPECT_EQ(Next(900), "failed: deployments.apps default/web did not become healthy within 15m: ");
  deploy_.unhealthy.clear();
  EXPECT_EQ(Next(10), "healthy: healthy 0123456789ab");
  deploy_.complete = false;
  EXPECT_EQ(Next(10), "read");  // the next wave
}

TEST_F(DeployPlanTest, WithoutWaitItIsHealthyWhenItIsApplied) {
  Spec("wait: false");
  Apply();
  EXPECT_EQ(Next(), "healthy: applied 0123456789ab; spec.wait is false");
}

TEST_F(DeployPlanTest, AFailureIsToldWithTheLastWordsOfTheContainer) {
  Apply();
  cluster_.Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, ownerReferences: [{apiVersion: apps/v1, "
      "kind: Deployment, name: web, uid: " +
      cluster_.Field(kWebKey.resource, kWebKey.ns, kWebKey.name, "metadata.uid") +
      ", controller: true}]}\nspec: {containers: [{name: web, image: x}]}\n");
  cluster_.SetStatus("pods", "default", "web-1",
                     "{phase: Running, containerStatuses: [{name: web, restartCount: 3, state: "
                     "{waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, "
                     "reason: Error}}}]}");
  deploy_.failure = {kWebKey, "it broke"};
  EXPECT_EQ(Next(), "failed: it broke");
  deploy_.has_logs = true;
  EXPECT_EQ(Next(), "fetch the log of web");
  deploy_.log = "no table\n";
  EXPECT_EQ(Next(), "failed: it broke");
}

TEST_F(DeployPlanTest, HealthIsLookedAtWhereItIsAsked) {
  Apply();
  EXPECT_EQ(LookAtHealth(cluster_.store().view(), {{"configmaps", "default", "x"}}, deploy_).size(),
            0u);
  EXPECT_EQ(LookAtHealth(cluster_.store().view(), {kWebKey}, deploy_),
            std::vector<std::string>(
                {"deployments.apps default/web  not yet looked at by its controller"}));
  EXPECT_TRUE(LookAtHealth(cluster_.store().view(), {kWebKey}, deploy_).empty());  // told already
  cluster_.SetStatus(kWebKey.resource, kWebKey.ns, kWebKey.name,
                     "{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: "
                     "1}");
  LookAtHealth(cluster_.store().view(), {kWebKey}, deploy_);
  EXPECT_TRUE(deploy_.unhealthy.empty());
}

}  // namespace
}  // namespace gitsync
