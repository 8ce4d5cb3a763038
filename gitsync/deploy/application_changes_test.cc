// What becomes of applications whose Kustomizations are changed, asked for again, deleted or held.
#include <gtest/gtest.h>

#include "gitsync/testing/applications_fixture.h"
#include "manifests/kinds/conditions.h"

namespace gitsync {
namespace {

class ApplicationChangesTest : public ApplicationsFixture {};

TEST_F(ApplicationChangesTest, AChangedPathIsAppliedAtOnceAndPrunesWhatItLeaves) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}, {"other/c.yaml", Map("c")}});
  Add("back", "path: other, targetNamespace: team");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/c");
}

TEST_F(ApplicationChangesTest, SettingsThatCannotBeActedOnAreSaid) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  Add("back", "path: ../back");
  EXPECT_EQ(Ready("back"),
            "\"False\" \"spec.path of the Kustomization: \\\"../back\\\" may lead out of the "
            "repository; write it without \\\"..\\\", from the root of the repository\"");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
  Push({{"front/a.yaml", Map("a", "two")}, {"back/b.yaml", Map("b", "two")}});
  EXPECT_EQ(cluster_.Field("configmaps", "default", "a", "data"), R"({"a":"two"})");
  EXPECT_EQ(cluster_.Field("configmaps", "team", "b", "data"), R"({"a":"one"})");
}

// Whoever waits for it is told, at once.
TEST_F(ApplicationChangesTest, WhatWasUnderWayWhenTheSettingsWereBrokenHasFailed) {
  Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  const auto phase = [&] {
    return cluster_.Field(kKustomizations, kSystemNamespace, "front",
                          "status.history[0].lastReconciledStatus");
  };
  const auto stopped = [&] {
    return StoppedBecause(
        cluster_.Get(kKustomizations, kSystemNamespace, "front")->document.root());
  };
  EXPECT_EQ(phase() + " " + stopped(), "\"Progressing\" ");
  Add("front", "path: ../front");
  EXPECT_EQ(
      phase() + " " + stopped(),
      "\"HealthCheckFailed\" spec.path of the Kustomization: \"../front\" may lead out of the "
      "repository; write it without \"..\", from the root of the repository");
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
  Add("front", "path: front");
  cluster_.SetStatus("deployments.apps", "default", "web", kHealthyWeb);
  cluster_.Settle();
  EXPECT_EQ(phase() + " " + stopped(), "\"ReconciliationSucceeded\" ");
}

// What stood in its way has gone, and there is nothing to deploy that would say so.
class HinderedApplicationTest : public ApplicationChangesTest {
 protected:
  // An application "early" of a repository that is not there yet.
  void AddEarly(const std::string& spec) {
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {name: early, namespace: plumb-system}\nspec: {interval: 10m, prune: true, "
        "sourceRef: {kind: GitRepository, name: late}, " +
        spec + "}\n");
    cluster_.Settle();
  }
  void CreateLate() {
    engine_->CreateRepository("late", {}, [](base::Status s) { EXPECT_TRUE(s.ok()); });
    cluster_.Settle();
  }
  base::Value Record(const std::string& application) {
    record_ = cluster_.Get(kKustomizations, kSystemNamespace, application);
    return record_->document.root();
  }
  bool Stalled(const std::string& application) {
    return manifests::ConditionIs(Record(application)["status"], "Stalled", "True");
  }

 private:
  state::ObjectPtr record_;
};

TEST_F(HinderedApplicationTest, ItsRepositoryComesAfterIt) {
  AddEarly("path: front");
  EXPECT_EQ(StoppedBecause(Record("early")),
            "there is no repository \"late\"; plumb repo list names those there are");
  EXPECT_EQ(Ready("early").substr(0, 7), "\"False\"");
  CreateLate();
  EXPECT_EQ(StoppedBecause(Record("early")), "");
  EXPECT_FALSE(Stalled("early"));
  EXPECT_EQ(Ready("early"), "absent");
  Annotate("early", "1");
  EXPECT_EQ(Handled("early") + " " + Ready("early"), "\"1\" absent");
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(HinderedApplicationTest, ItsRepositoryComesWhileItIsSuspended) {
  AddEarly("path: front, suspend: true");
  EXPECT_TRUE(Stalled("early"));
  CreateLate();
  EXPECT_FALSE(Stalled("early"));
  EXPECT_EQ(Ready("early"), "absent");
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(HinderedApplicationTest, ItsSettingsAreMendedBeforeTheFirstPush) {
  Add("front", "path: ../front");
  EXPECT_TRUE(Stalled("front"));
  Add("front", "path: front");
  EXPECT_FALSE(Stalled("front"));
  EXPECT_EQ(Ready("front"), "absent");
}

TEST_F(HinderedApplicationTest, ItsBranchCanBeReadAgainBeforeTheFirstPush) {
  cluster_.faults.Set("git.read.fail", 1);
  Add("front", "path: other");
  EXPECT_EQ(Ready("front").substr(0, 7), "\"False\"");
  cluster_.faults.Clear();
  cluster_.Settle(base::Duration::Minutes(1));
  EXPECT_EQ(Ready("front"), "absent");
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(ApplicationChangesTest, WhatMovesToOneThatCannotBeReadIsKeptUntilItCan) {
  Push({{"front/a.yaml", Map("a")},
        {"front/m.yaml", Map("m")},
        {"front/gone.yaml", Map("gone")},
        {"back/b.yaml", Map("b")}});
  const std::string uid = Uid("default", "m");
  Add("back", "path: ../back");
  Push({{"front/a.yaml", Map("a")}, {"back/m.yaml", Map("m")}, {"back/b.yaml", Map("b")}});
  EXPECT_EQ(Uid("default", "m"), uid);
  EXPECT_EQ(InventoryOf("front"), "default/a default/gone default/m");
  Add("back", "path: back");
  EXPECT_EQ(Uid("default", "m"), uid);
  EXPECT_EQ(InventoryOf("front"), "default/a");
  EXPECT_EQ(InventoryOf("back"), "default/b default/m");
  EXPECT_EQ(Uid("default", "gone"), "absent");  // that was nobody's
}

TEST_F(ApplicationChangesTest, ADeletedOneLeavesWhatItDeployed) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  cluster_.Delete(kKustomizations, kSystemNamespace, "back");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Get(kInventories, kSystemNamespace, "back"), nullptr);
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
  Push({{"front/a.yaml", Map("a", "two")}});
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
}

// A crash may come between the record's end and its inventory's.
TEST_F(ApplicationChangesTest, OneThatWasDeletedLeavesNothingThatALaterOneWouldPruneBy) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  engine_.reset();
  cluster_.Delete(kKustomizations, kSystemNamespace, "front");
  Start();
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names(kInventories), "plumb-system/back");
  Add("front", "path: back, targetNamespace: default");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps").find("default/a"), 0u);
}

// An earlier plumb deployed manifests/, whatever path said.
class HeldApplicationTest : public ApplicationChangesTest {
 protected:
  HeldApplicationTest() {
    Add("site", "suspend: false");
    Push(files_);
    engine_.reset();
    Add("site", "path: new");
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    base::Json status = (*draft.view().Get(KustomizationKey("site")))["status"].ToJson();
    for (base::Json& entry : status["history"].MutableElements()) {
      entry["metadata"].Remove("placement");
    }
    EXPECT_TRUE(draft.UpdateStatus(KustomizationKey("site"), std::move(status)).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    Start();
    cluster_.Settle();
  }

  const FakeGit::Files files_ = {{"front/a.yaml", Map("a")},
                                 {"back/b.yaml", Map("b")},
                                 {"manifests/old.yaml", Map("old")},
                                 {"new/new.yaml", Map("new")}};
};

TEST_F(HeldApplicationTest, NothingHappensAndTheRecordSaysWhatWould) {
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/old team/b");
  EXPECT_EQ(Ready("site"),
            "\"False\" \"held: sourceRef, path and targetNamespace of the Kustomization act since "
            "this version of plumb, which would change or prune 2 objects; push a commit, or run "
            "plumb sync site, to have it done\"");
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
}

// What another one's mended settings make clear is still nobody's wish.
TEST_F(HeldApplicationTest, ItStaysHeldWhileItIsUnclearWhoHasWhatItWouldPrune) {
  engine_.reset();
  Add("front", "path: ../front");
  Start();
  cluster_.Settle();
  Add("front", "path: front");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/old team/b");
}

TEST_F(HeldApplicationTest, APushReleasesIt) {
  Push(files_);
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/new team/b");
  Restart();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/new team/b");
}

// What plumb sync does, and Flux's users do with kubectl.
TEST_F(HeldApplicationTest, AnAnnotationReleasesIt) {
  Annotate("site", "1");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/new team/b");
  EXPECT_EQ(Handled("site"), "\"1\"");
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(HeldApplicationTest, AnAnnotationThatNobodyHasAnsweredYetReleasesItAtTheStart) {
  engine_.reset();
  Annotate("site", "1");
  Start();
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/new team/b");
}

TEST_F(ApplicationChangesTest, AnAnnotationIsAnsweredHoweverItEnds) {
  Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  cluster_.SetStatus("deployments.apps", "default", "web", kFailedWeb);
  cluster_.Settle();
  Annotate("front", "1");
  EXPECT_EQ(Handled("front"), "\"1\"");
  Annotate("front", "2");
  EXPECT_EQ(Handled("front"), "\"2\"");
  EXPECT_EQ(Ready("front").substr(0, 7), "\"False\"");
  Annotate("back", "1");
  EXPECT_EQ(Handled("back"), "\"1\"");
  Add("back", "path: ../back");
  Annotate("back", "2");
  EXPECT_EQ(Handled("back"), "\"2\"");
  EXPECT_TRUE(engine_->Idle());
}

// Two ask, one after the other: what answers the second is no answer of the first's deploy.
TEST_F(ApplicationChangesTest, ARequestIsAnsweredByADeployThatBeganAfterIt) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  Annotate("back", "1");
  EXPECT_EQ(Handled("back"), "absent");
  std::string answers;
  const base::Subscription watching = cluster_.store().OnCommit([&](const state::Change& change) {
    if (change.key() != KustomizationKey("back")) return;
    answers += (*change.object)["status"]["lastHandledReconcileAt"].AsString("-");
  });
  // The deploy under way is about to find that it has failed.
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  EXPECT_TRUE(RecordDeploy(draft, "front",
                           {.revision = "main@sha1:" + head_, .phase = DeployPhase::kFailed})
                  .ok());
  EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  Annotate("back", "2");
  // Asked for, the end of the old deploy, the end of the new one.
  EXPECT_EQ(answers, "-12");
}

TEST_F(ApplicationChangesTest, APushMayEndAnotherApplicationOfItsSource) {
  const std::string extra =
      "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
      "metadata: {name: extra, namespace: plumb-system}\nspec: {interval: 10m, prune: true, "
      "sourceRef: {kind: GitRepository, name: site}, path: extra}\n";
  Add("back", "path: back");
  Annotate("back", "team,plumb-system", kNamespacesAnnotation);
  FakeGit::Files files = {{"front/a.yaml", Map("a")},
                          {"back/b.yaml", Map("b, namespace: team")},
                          {"back/extra.yaml", extra},
                          {"extra/e.yaml", Map("e")}};
  Push(files);
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/e team/b");
  files.erase("back/extra.yaml");
  files["extra/e.yaml"] = Map("e", "two");
  const auto terminal = Push(files);
  EXPECT_EQ(Told(*terminal),
            "extra: its Kustomization was deleted\nback: applied HEAD: 1 unchanged, 1 pruned\n"
            "back: healthy HEAD\nfront: applied HEAD: 1 unchanged\nfront: healthy HEAD\n"
            "failed: extra\nexit 0\n");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/e team/b");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "e", "data"), R"({"a":"one"})");
  EXPECT_EQ(cluster_.Names(kInventories), "plumb-system/back plumb-system/front");
  EXPECT_TRUE(engine_->Idle());
}

// What nobody asked of an application does not end what is under way for it: it follows.
TEST_F(ApplicationChangesTest, WhatBecomesClearDuringADeployIsPrunedAfterIt) {
  Push({{"front/gone.yaml", Map("gone")}, {"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  Add("back", "path: ../back");
  const auto terminal = Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  EXPECT_EQ(InventoryOf("front"), "default/a default/gone default/web");
  Add("back", "path: back");
  EXPECT_FALSE(terminal->finished());
  EXPECT_EQ(InventoryOf("front"), "default/a default/gone default/web");
  cluster_.SetStatus("deployments.apps", "default", "web", kHealthyWeb);
  cluster_.Settle();
  EXPECT_TRUE(Told(*terminal).ends_with("healthy HEAD\nexit 0\n")) << terminal->text;
  EXPECT_EQ(InventoryOf("front"), "default/web");
}

// The plan of one that waits knows who has what when it goes on.
TEST_F(ApplicationChangesTest, AnotherIsChangedWhileADeployWaits) {
  Add("base", "path: base");
  Add("front", "path: front, dependsOn: [{name: base}]");
  FakeGit::Files files = {{"base/web.yaml", kWeb},
                          {"front/m.yaml", Map("m")},
                          {"front/a.yaml", Map("a")},
                          {"back/b.yaml", Map("b")}};
  Push(files);
  cluster_.SetStatus("deployments.apps", "default", "web", kHealthyWeb);
  cluster_.Settle();
  const std::string uid = Uid("default", "m");
  std::string web = kWeb;
  files["base/web.yaml"] = web.replace(web.find("hello:1"), 7, "hello:2");
  files.erase("front/m.yaml");
  files["other/m.yaml"] = Map("m");  // which is nobody's yet
  const auto terminal = Push(files);
  Add("back", "path: other");
  EXPECT_EQ(InventoryOf("back"), "default/m");
  EXPECT_FALSE(terminal->finished());
  cluster_.SetStatus("deployments.apps", "default", "web",
                     "{observedGeneration: 2, replicas: 1, updatedReplicas: 1, "
                     "availableReplicas: 1}");
  cluster_.Settle();
  EXPECT_TRUE(terminal->finished());
  EXPECT_EQ(InventoryOf("front"), "default/a");
  EXPECT_EQ(Uid("default", "m"), uid);
}

}  // namespace
}  // namespace gitsync
