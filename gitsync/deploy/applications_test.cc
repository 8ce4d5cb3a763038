// Several applications of one source: what a push does for each.
#include <gtest/gtest.h>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/testing/fake_git.h"
#include "gitsync/testing/terminal.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

using base::Duration;

std::string Map(const std::string& name, const std::string& value = "one") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: " + value +
         "}\n";
}
constexpr char kWeb[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";
constexpr char kHealthyWeb[] =
    "{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}";
constexpr char kFailedWeb[] =
    "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: "
    "ProgressDeadlineExceeded, message: timed out}]}";

// A repository "site", and applications "front" and "back" of it instead of the one of its name.
class ApplicationsTest : public testing::Test {
 protected:
  ApplicationsTest() : git_(&cluster_.faults) {
    cluster_.AddNamespace("team");
    Start();
    engine_->CreateRepository("site", {}, [](base::Status s) { EXPECT_TRUE(s.ok()); });
    cluster_.Settle();
    cluster_.Delete(kKustomizations, kSystemNamespace, "site");
    Add("front", "path: front");
    Add("back", "path: ./back, targetNamespace: team");
  }

  void Start() {
    engine_ =
        std::make_unique<SyncEngine>(cluster_.loop, cluster_.store(), git_, cluster_.Context());
  }
  void Restart() {
    engine_.reset();
    cluster_.Crash();
    Start();
    cluster_.Settle();
  }

  // Makes or changes an application; `spec` is what it asks for beside the source.
  void Add(const std::string& name, const std::string& spec, const std::string& prune = "true") {
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " +
        name + ", namespace: plumb-system}\nspec: {interval: 10m, prune: " + prune +
        ", sourceRef: {kind: GitRepository, name: site}, " + spec + "}\n");
    cluster_.Settle();
  }

  // Both ends of a push, as far as it goes at once; commit ids are shown as HEAD.
  std::shared_ptr<Terminal> Push(const FakeGit::Files& files,
                                 const std::vector<std::string>& options = {}) {
    auto terminal = std::make_shared<Terminal>();
    const auto staged =
        git_.Stage("site", "refs/heads/main", files, "change\n", cluster_.loop.now().wall);
    PushRequest request{"site",
                        "ann",
                        {{staged.old_oid, staged.new_oid, "refs/heads/main"}},
                        options,
                        staged.quarantine};
    engine_->PreReceive(request, terminal);
    cluster_.loop.RunUntil([&] { return terminal->finished(); }, Duration::Seconds(5));
    if (terminal->text.find("exit 0") == std::string::npos) {
      git_.Drop(staged);
      return terminal;
    }
    EXPECT_TRUE(git_.Accept(staged).ok());
    head_ = staged.new_oid;
    terminal->text.clear();
    request.quarantine = {};
    engine_->PostReceive(request, terminal);
    cluster_.Settle();
    return terminal;
  }

  std::string Told(const Terminal& terminal) const {
    std::string text = terminal.text;
    for (size_t at; (at = text.find(head_.substr(0, 12))) != std::string::npos;) {
      text.replace(at, 12, "HEAD");
    }
    return text;
  }

  std::string Ready(const std::string& application) {
    for (int i = 0; i < 3; ++i) {
      const std::string at = "status.conditions[" + std::to_string(i) + "].";
      const auto field = [&](const std::string& name) {
        return cluster_.Field(kKustomizations, kSystemNamespace, application, at + name);
      };
      if (field("type") == "\"Ready\"") return field("status") + " " + field("message");
    }
    return "absent";
  }

  void Annotate(const std::string& application, const std::string& value) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    base::Json object = draft.view().Get(KustomizationKey(application))->document.root().ToJson();
    object["metadata"]["annotations"].Set(kRequestedAnnotation, value);
    EXPECT_TRUE(draft.Update(std::move(object)).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    cluster_.Settle();
  }
  std::string Handled(const std::string& application) {
    return cluster_.Field(kKustomizations, kSystemNamespace, application,
                          "status.lastHandledReconcileAt");
  }

  std::string InventoryOf(const std::string& application) {
    std::string text;
    const auto keys = ReadInventory(cluster_.store().view(), *cluster_.schema, application).keys;
    for (const state::Key& key : *keys) {
      text += (text.empty() ? "" : " ") + key.ns + "/" + key.name;
    }
    return text;
  }

  std::string Uid(const std::string& ns, const std::string& name) {
    return cluster_.Field("configmaps", ns, name, "metadata.uid");
  }

  state::TestCluster cluster_;
  FakeGit git_;
  std::unique_ptr<SyncEngine> engine_;
  std::string head_;
};

TEST_F(ApplicationsTest, EachDeploysItsPathIntoItsNamespace) {
  const auto terminal = Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}, {"c", "x"}});
  EXPECT_EQ(Told(*terminal),
            "back: applied HEAD\nfront: applied HEAD\nback: healthy HEAD\nfront: healthy HEAD\n"
            "healthy: all 2 applications\nexit 0\n");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
  EXPECT_EQ(InventoryOf("front"), "default/a");
  EXPECT_EQ(InventoryOf("back"), "team/b");
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(ApplicationsTest, APushIsRefusedIfOneOfThemRefusesIt) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const state::Revision before = cluster_.store().revision();
  EXPECT_EQ(
      Push({{"front/a.yaml", Map("a", "two")}, {"back/b.yaml", Map("b") + "dat: {}\n"}})->text,
      "back: back/b.yaml:5:1: dat: unknown field; did you mean data?\n"
      "refused: 1 error, nothing was changed\nexit 1\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(ApplicationsTest, ThePlanSaysWhoseItIs) {
  EXPECT_EQ(Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}}, {"dry-run"})->text,
            "back: created     configmaps team/b\nback: 1 created\n"
            "front: created     configmaps default/a\nfront: 1 created\n"
            "dry run: nothing was pushed\nexit 1\n");
}

TEST_F(ApplicationsTest, OneNeverPrunesWhatTheOtherDeploys) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}, {"back/c.yaml", Map("c")}});
  Push({{"front/a.yaml", Map("a")}, {"back/c.yaml", Map("c")}});
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/c");
}

TEST_F(ApplicationsTest, WithoutPruneOneKeepsWhatLeftItsPath) {
  Add("back", "path: ./back, targetNamespace: team", "false");
  Push({{"front/a.yaml", Map("a")},
        {"front/b.yaml", Map("b")},
        {"back/c.yaml", Map("c")},
        {"back/d.yaml", Map("d")}});
  Push({{"front/a.yaml", Map("a")}, {"back/c.yaml", Map("c")}});
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/c team/d");
}

TEST_F(ApplicationsTest, WhatMovesBetweenThemIsNeverDeleted) {
  Add("back", "path: back");
  Push({{"front/a.yaml", Map("a")}, {"front/m.yaml", Map("m")}, {"back/b.yaml", Map("b")}});
  const std::string uid = Uid("default", "m");
  Push({{"front/a.yaml", Map("a")}, {"back/m.yaml", Map("m")}, {"back/b.yaml", Map("b")}});
  EXPECT_EQ(Uid("default", "m"), uid);
  EXPECT_EQ(InventoryOf("front"), "default/a");
  EXPECT_EQ(InventoryOf("back"), "default/b default/m");
  // The other way round the one that gives is applied before the one that takes.
  const auto terminal =
      Push({{"front/a.yaml", Map("a")}, {"front/m.yaml", Map("m")}, {"back/b.yaml", Map("b")}});
  EXPECT_NE(terminal->text.find("healthy: all 2"), std::string::npos) << terminal->text;
  EXPECT_EQ(Uid("default", "m"), uid);
  EXPECT_EQ(InventoryOf("front"), "default/a default/m");
  EXPECT_EQ(InventoryOf("back"), "default/b");
}

TEST_F(ApplicationsTest, WhatTwoOfThemWriteIsRefused) {
  Add("back", "path: back");
  EXPECT_EQ(Push({{"front/m.yaml", Map("m")}, {"back/m.yaml", Map("m")}})->text,
            "back: back/m.yaml:1:1: configmaps default/m is deployed by application front of this "
            "repository; remove it from one of the two\n"
            "front: front/m.yaml:1:1: configmaps default/m is deployed by application back of this "
            "repository; remove it from one of the two\n"
            "refused: 2 errors, nothing was changed\nexit 1\n");
}

TEST_F(ApplicationsTest, ASuspendedOneIsLeftAsItIs) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  Add("back", "path: ./back, targetNamespace: team, suspend: true");
  const auto terminal = Push({{"front/a.yaml", Map("a", "two")}, {"back/b.yaml", Map("b", "two")}});
  EXPECT_NE(terminal->text.find("exit 0"), std::string::npos) << terminal->text;
  EXPECT_EQ(cluster_.Field("configmaps", "default", "a", "data"), R"({"a":"two"})");
  EXPECT_EQ(cluster_.Field("configmaps", "team", "b", "data"), R"({"a":"one"})");
  Add("back", "path: ./back, targetNamespace: team, suspend: false");
  EXPECT_EQ(cluster_.Field("configmaps", "team", "b", "data"), R"({"a":"two"})");
}

TEST_F(ApplicationsTest, ADependencyIsAwaitedAtTheSameCommit) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  const auto first = Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  EXPECT_EQ(cluster_.Names("configmaps"), "");
  EXPECT_EQ(Ready("back"),
            "\"False\" \"it depends on application front, which is not ready at this commit\"");
  cluster_.SetStatus("deployments.apps", "default", "web", kHealthyWeb);
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/b");
  EXPECT_EQ(Told(*first),
            "back: waiting: it depends on application front, which is not ready at this commit\n"
            "front: applied HEAD\n"
            "front: deployments.apps default/web  not yet looked at by its controller\n"
            "front: deployments.apps default/web  1/1 available\n"
            "front: healthy HEAD\nback: applied HEAD\nback: healthy HEAD\n"
            "healthy: all 2 applications\nexit 0\n");
  // Ready at the commit before is not ready at this one.
  std::string web = kWeb;
  web.replace(web.find("hello:1"), 7, "hello:2");
  Push({{"front/web.yaml", web}, {"back/b.yaml", Map("b", "two")}});
  EXPECT_EQ(cluster_.Field("configmaps", "default", "b", "data"), R"({"a":"one"})");
}

TEST_F(ApplicationsTest, AFailedDependencyEndsThePush) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  const auto terminal = Push({{"front/web.yaml", kWeb}, {"back/b.yaml", Map("b")}});
  cluster_.SetStatus("deployments.apps", "default", "web", kFailedWeb);
  cluster_.Settle();
  EXPECT_NE(Told(*terminal).find("back: failed HEAD: not applied: it depends on application front, "
                                 "which failed at this commit\nfailed: back, front\nexit 0\n"),
            std::string::npos)
      << terminal->text;
  EXPECT_EQ(cluster_.Names("configmaps"), "");
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(ApplicationsTest, ACycleOrAnUnknownNameIsSaid) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  Add("front", "path: front, dependsOn: [{name: back}]");
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  EXPECT_EQ(Ready("back"),
            "\"False\" \"not applied: it depends on itself (back, front, back); take one of them "
            "out of the spec.dependsOn before it\"");
  EXPECT_TRUE(engine_->Idle());
  const state::Revision before = cluster_.store().revision();
  cluster_.Settle(Duration::Minutes(1));
  EXPECT_EQ(cluster_.store().revision(), before);  // nobody keeps anybody awake
  Add("front", "path: front");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/b");
  Add("front", "path: front, dependsOn: [{name: bakc}]");
  EXPECT_EQ(Ready("front"),
            "\"False\" \"not applied: it depends on application bakc, which does not exist; make "
            "that Kustomization, or correct spec.dependsOn\"");
}

TEST_F(ApplicationsTest, WithoutWaitAppliedIsReady) {
  Add("back", "path: back, wait: false");
  const auto terminal = Push({{"front/a.yaml", Map("a")}, {"back/web.yaml", kWeb}});
  EXPECT_NE(Told(*terminal).find("back: applied HEAD; spec.wait is false\n"), std::string::npos)
      << terminal->text;
  EXPECT_EQ(Ready("back"), "\"True\" \"applied " + head_ + "\"");
  // Another that waits does so for all of it, whatever was not waited for before.
  Add("back", "path: back");
  EXPECT_EQ(Ready("back").substr(0, 9), "\"Unknown\"");
}

TEST_F(ApplicationsTest, ATimeoutIsItsOwn) {
  Add("back", "path: back, timeout: 1m");
  const auto terminal = Push({{"front/a.yaml", Map("a")}, {"back/web.yaml", kWeb}});
  cluster_.Settle(Duration::Seconds(50));
  EXPECT_FALSE(terminal->finished());
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_NE(terminal->text.find("did not become healthy within 1m"), std::string::npos)
      << terminal->text;
  EXPECT_TRUE(terminal->finished());
}

TEST_F(ApplicationsTest, AChangedPathIsAppliedAtOnceAndPrunesWhatItLeaves) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}, {"other/c.yaml", Map("c")}});
  Add("back", "path: other, targetNamespace: team");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/c");
}

TEST_F(ApplicationsTest, SettingsThatCannotBeActedOnAreSaid) {
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

TEST_F(ApplicationsTest, APathThatACommitLacksFailsItsApplicationAlone) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const auto terminal = Push({{"front/a.yaml", Map("a", "two")}});
  const std::string why =
      "not applied: back: the commit has no such directory; add it, or correct spec.path of the "
      "Kustomization";
  EXPECT_EQ(Told(*terminal), "back: failed HEAD: " + why +
                                 "\nfront: applied HEAD\nfront: healthy HEAD\nfailed: back\n"
                                 "exit 0\n");
  EXPECT_EQ(Ready("back"), "\"False\" \"" + why + "\"");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "a", "data"), R"({"a":"two"})");
  EXPECT_TRUE(engine_->Idle());
  // Nobody goes on with this one.
  EXPECT_EQ(Push({{"x.yaml", Map("x")}})->text,
            "back: back: the commit has no such directory; add it, or correct spec.path of the "
            "Kustomization\n"
            "front: front: the commit has no such directory; add it, or correct spec.path of the "
            "Kustomization\n"
            "refused: 2 errors, nothing was changed\nexit 1\n");
}

TEST_F(ApplicationsTest, WhatMovesToOneThatCannotBeReadIsKeptUntilItCan) {
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

TEST_F(ApplicationsTest, ADeletedOneLeavesWhatItDeployed) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  cluster_.Delete(kKustomizations, kSystemNamespace, "back");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Get(kInventories, kSystemNamespace, "back"), nullptr);
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
  Push({{"front/a.yaml", Map("a", "two")}});
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a team/b");
}

// A crash may come between the record's end and its inventory's.
TEST_F(ApplicationsTest, OneThatWasDeletedLeavesNothingThatALaterOneWouldPruneBy) {
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

TEST_F(ApplicationsTest, WhatMovedWhileTheServerWasDownIsNeverDeleted) {
  Add("back", "path: back");
  Push({{"front/m.yaml", Map("m")}, {"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const std::string uid = Uid("default", "m");
  for (const char* path : {"back/m.yaml", "front/m.yaml"}) {
    engine_.reset();
    git_.Push("site", "refs/heads/main",
              {{path, Map("m")}, {"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}}, "m\n", {});
    Start();
    cluster_.Settle();
    EXPECT_EQ(Uid("default", "m"), uid) << path;
  }
  EXPECT_EQ(InventoryOf("front"), "default/a default/m");
}

// An earlier plumb deployed manifests/, whatever path said.
class HeldApplicationTest : public ApplicationsTest {
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

TEST_F(ApplicationsTest, AnAnnotationIsAnsweredHoweverItEnds) {
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

TEST_F(ApplicationsTest, AfterARestartNothingIsWrittenTwice) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
  EXPECT_TRUE(engine_->Idle());
}

}  // namespace
}  // namespace gitsync
