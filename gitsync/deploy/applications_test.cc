// Several applications of one source: what a push does for each.
#include <gtest/gtest.h>

#include "gitsync/testing/applications_fixture.h"

namespace gitsync {
namespace {

using base::Duration;

class ApplicationsTest : public ApplicationsFixture {};

TEST_F(ApplicationsTest, EachDeploysItsPathIntoItsNamespace) {
  const auto terminal = Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}, {"c", "x"}});
  EXPECT_EQ(Told(*terminal),
            "back: applied HEAD: 1 created\nfront: applied HEAD: 1 created\n"
            "back: healthy HEAD\nfront: healthy HEAD\n"
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
            "back: would create     configmaps team/b\nback: would create 1\n"
            "front: would create     configmaps default/a\nfront: would create 1\n"
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
            "front: applied HEAD: 1 created\n"
            "front: deployments.apps default/web  not yet looked at by its controller\n"
            "front: deployments.apps default/web  1/1 available\n"
            "front: healthy HEAD\nback: applied HEAD: 1 created\nback: healthy HEAD\n"
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
  const auto terminal = Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  EXPECT_NE(Told(*terminal).find("front: failed HEAD: not applied: it depends on itself (front, "
                                 "back, front); take one of them out of the spec.dependsOn before "
                                 "it\nfailed: back, front\nexit 0\n"),
            std::string::npos)
      << terminal->text;
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

TEST_F(ApplicationsTest, OneIsJudgedByWhatThoseItDependsOnBring) {
  Add("back", "path: back, targetNamespace: shop");
  const FakeGit::Files files = {{"front/shop.yaml", kShop},
                                {"front/conf.yaml", Map("conf, namespace: shop")},
                                {"back/reader.yaml", kReader}};
  // Nobody can say which is applied first.
  EXPECT_EQ(
      Push(files)->text,
      "back: back/reader.yaml:3:11: namespace shop does not exist; add a Namespace manifest, or "
      "correct metadata.namespace\n"
      "refused: 1 error, nothing was changed\nexit 1\n");
  Add("back", "path: back, targetNamespace: shop, dependsOn: [{name: front}]");
  EXPECT_EQ(
      Push(files, {"dry-run"})->text,
      "front: would create     namespaces shop\nfront: would create     configmaps shop/conf\n"
      "front: would create 2\nback: would create     deployments.apps shop/reader\nback: would "
      "create 1\n"
      "dry run: nothing was pushed\nexit 1\n");
  const auto terminal = Push(files);
  cluster_.SetStatus("deployments.apps", "shop", "reader", "{observedGeneration: 1}");
  cluster_.Settle();
  EXPECT_NE(terminal->text.find("healthy: all 2 applications\n"), std::string::npos)
      << terminal->text;
}

TEST_F(ApplicationsTest, OneSeesAllThatItDependsOnAndNoOther) {
  const auto place = [](const std::string& ns) { return Map("m, namespace: " + ns); };
  const auto ns = [](const std::string& name) {
    return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n";
  };
  Add("base", "path: base");
  Add("front", "path: front, dependsOn: [{name: base}]");
  Add("back", "path: back, dependsOn: [{name: base}]");
  Add("all", "path: all, dependsOn: [{name: front}, {name: back}]");
  FakeGit::Files files = {{"base/ns.yaml", ns("base")},       {"front/ns.yaml", ns("front")},
                          {"front/m.yaml", place("base")},    {"back/ns.yaml", ns("back")},
                          {"back/m.yaml", Map("m")},          {"all/base.yaml", Map("extra")},
                          {"all/front.yaml", place("front")}, {"all/back.yaml", place("back")}};
  EXPECT_NE(Push(files)->text.find("healthy: all 4 applications\n"), std::string::npos);
  EXPECT_EQ(cluster_.Names("configmaps"), "back/m base/m default/extra default/m front/m");
  files["front/more.yaml"] = ns("more");
  files["back/more.yaml"] = place("more");
  EXPECT_EQ(Push(files)->text,
            "back: back/more.yaml:3:32: namespace more does not exist; add a Namespace manifest, "
            "or correct metadata.namespace\n"
            "refused: 1 error, nothing was changed\nexit 1\n");
}

// A plan that was made for what another was to bring is made again on what there is.
TEST_F(ApplicationsTest, WhatWasForeseenAndIsNotThereIsNotRestedOn) {
  Add("back", "path: back, targetNamespace: shop, dependsOn: [{name: front}]");
  // Its second wave waits for the first: it puts back nothing.
  const auto terminal =
      Push({{"front/shop.yaml", kShop},
            {"front/web.yaml", kWeb},
            {"front/late.yaml", Map("late, annotations: {plumb.dev/wave: \"1\"}")},
            {"back/b.yaml", Map("b")}});
  const state::Key shop{"namespaces", "", "shop"};
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  EXPECT_TRUE(RecordReady(draft, "front", "True", "ReconciliationSucceeded", "applied").ok());
  EXPECT_TRUE(RecordDeploy(draft, "front",
                           {.revision = "main@sha1:" + head_, .phase = DeployPhase::kHealthy})
                  .ok());
  state::Transaction ready_and_gone = draft.Finish();
  ready_and_gone.writes.push_back(
      {shop, std::nullopt, cluster_.store().view().Get(shop)->revision});
  EXPECT_TRUE(cluster_.store().Commit(std::move(ready_and_gone)).ok());
  cluster_.Settle();
  EXPECT_NE(
      terminal->text.find("back: not applied: back/b.yaml:3:11: namespace shop does not exist"),
      std::string::npos)
      << terminal->text;
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

TEST_F(ApplicationsTest, APathThatACommitLacksFailsItsApplicationAlone) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const auto terminal = Push({{"front/a.yaml", Map("a", "two")}});
  const std::string why =
      "not applied: back: the commit has no such directory; add it, or correct spec.path of the "
      "Kustomization";
  EXPECT_EQ(Told(*terminal),
            "back: failed HEAD: " + why +
                "\nfront: applied HEAD: 1 configured\nfront: healthy HEAD\nfailed: back\n"
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

TEST_F(ApplicationsTest, AfterARestartNothingIsWrittenTwice) {
  Add("back", "path: back, dependsOn: [{name: front}]");
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const state::Revision before = cluster_.store().revision();
  Restart();
  EXPECT_EQ(cluster_.store().revision(), before);
  EXPECT_TRUE(engine_->Idle());
}

// Each may commit as much as the push brings for it.
TEST_F(ApplicationsTest, APushBeginsItsDeploysOneByOne) {
  Push({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}});
  const std::string commit = git_.Push(
      "site", "refs/heads/main", {{"front/a.yaml", Map("a", "two")}, {"back/b.yaml", Map("b")}},
      "change\n", cluster_.loop.now().wall);
  const auto terminal = std::make_shared<Terminal>();
  engine_->PostReceive({"site", "ann", {{"", commit, "refs/heads/main"}}, {"nowait"}, {}},
                       terminal);
  const auto is_on_its_way = [&](const std::string& application) {
    return cluster_.Field(kKustomizations, kSystemNamespace, application,
                          "status.history[0].metadata.revision") == "\"main@sha1:" + commit + "\"";
  };
  EXPECT_TRUE(is_on_its_way("back"));
  EXPECT_FALSE(is_on_its_way("front"));
  EXPECT_FALSE(terminal->finished());
  cluster_.loop.RunUntil([&] { return terminal->finished(); }, Duration::Seconds(1));
  // Whoever asks for the deploys by now finds them.
  EXPECT_TRUE(is_on_its_way("front"));
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("configmaps", "default", "a", "data"), R"({"a":"two"})");
}

}  // namespace
}  // namespace gitsync
