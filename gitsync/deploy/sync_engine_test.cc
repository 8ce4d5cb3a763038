#include "gitsync/deploy/sync_engine.h"

#include <gtest/gtest.h>

#include "base/piecework.h"
#include "gitsync/plan/by_hand.h"
#include "gitsync/testing/fake_git.h"
#include "gitsync/testing/terminal.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

using base::Duration;

constexpr char kConfig[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one}\n";
constexpr char kOther[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";
constexpr char kWeb[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";

class SyncEngineTest : public testing::Test {
 protected:
  SyncEngineTest() : git_(&cluster_.faults) {
    StartEngine();
    std::string created;
    engine_->CreateRepository("site", {}, [&](base::Status s) { created = s.ToString(); });
    cluster_.Settle();
    EXPECT_EQ(created, "OK");
  }

  void StartEngine() {
    engine_ =
        std::make_unique<SyncEngine>(cluster_.loop, cluster_.store(), git_, cluster_.Context());
  }

  // As a git push: the checks, and if they pass, what follows. Both sessions' lines; the second
  // goes on while time does.
  std::shared_ptr<Terminal> Push(const FakeGit::Files& files,
                                 const std::vector<std::string>& options = {},
                                 const std::string& ref = "refs/heads/main") {
    auto terminal = std::make_shared<Terminal>();
    const auto staged = git_.Stage("site", ref, files, "change\n", cluster_.loop.now().wall);
    PushRequest request{
        "site", "ann", {{staged.old_oid, staged.new_oid, ref}}, options, staged.quarantine,
        groups_};
    engine_->PreReceive(request, terminal);
    cluster_.loop.RunUntil([&] { return terminal->finished(); }, Duration::Seconds(5));
    if (terminal->text.find("exit 0") == std::string::npos) {
      git_.Drop(staged);
      return terminal;
    }
    EXPECT_TRUE(git_.Accept(staged).ok());
    head_ = staged.new_oid;
    terminal->text.resize(terminal->text.find("exit 0"));
    request.quarantine = {};
    engine_->PostReceive(request, terminal);
    return terminal;
  }

  std::string Condition(const std::string& field) {
    return cluster_.Field(kKustomizations, kSystemNamespace, "site",
                          "status.conditions[0]." + field);
  }

  void SetAvailable(const std::string& deployment, int replicas) {
    cluster_.SetStatus(
        "deployments.apps", "default", deployment,
        "{observedGeneration: " +
            cluster_.Field("deployments.apps", "default", deployment, "metadata.generation") +
            ", replicas: 2, updatedReplicas: 2, availableReplicas: " + std::to_string(replicas) +
            "}");
  }
  void MakeHealthy() { SetAvailable("web", 2); }

  std::string Head() const { return head_.substr(0, 12); }

  state::TestCluster cluster_;
  FakeGit git_;
  std::vector<std::string> groups_ = {"plumb:admin"};  // of whoever pushes
  std::unique_ptr<SyncEngine> engine_;
  std::string head_;
};

TEST_F(SyncEngineTest, APushBecomesObjectsInTheStore) {
  const auto terminal = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_EQ(terminal->text, "would create     configmaps default/conf\nwould create 1\napplied " +
                                Head() + ": 1 created\nhealthy " + Head() + "\nexit 0\n");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
  EXPECT_EQ(cluster_.Field(kKustomizations, kSystemNamespace, "site", "status.lastAppliedRevision"),
            "\"main@sha1:" + head_ + "\"");
  EXPECT_EQ(Condition("status"), "\"True\"");
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(SyncEngineTest, ABadPushIsRefusedAndChangesNothing) {
  const state::Revision before = cluster_.store().revision();
  EXPECT_EQ(
      Push({{"conf.yaml", std::string(kConfig) + "dat: {}\n"}, {"x.yaml", "a: [\n"}})->text,
      "conf.yaml:5:1: dat: unknown field; did you mean data?\n"
      "x.yaml:2:1: the '[' before this is not closed; add ']', or ',' before the next element\n"
      "refused: 2 errors, nothing was changed\nexit 1\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(SyncEngineTest, ADryRunShowsThePlanAndAcceptsNothing) {
  EXPECT_EQ(Push({{"conf.yaml", kConfig}}, {"dry-run"})->text,
            "would create     configmaps default/conf\nwould create 1\ndry run: nothing was "
            "pushed\nexit 1\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "");
}

TEST_F(SyncEngineTest, PlumbsOwnRefsAreNotPushedTo) {
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/notes/plumb")->text,
            "refs/notes/plumb is written by plumb alone; push to another ref\nexit 1\n");
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/heads/plumb/status")->text,
            "refs/heads/plumb/status is written by plumb alone; push to another ref\nexit 1\n");
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/heads/plumb")->text,
            "refs/heads/plumb is written by plumb alone; push to another ref\nexit 1\n");
}

TEST_F(SyncEngineTest, OnlyBranchesAndTagsArePushed) {
  for (const std::string ref : {"refs/replace/0123456789012345678901234567890123456789",
                                "refs/plumb/x", "refs/for/main", "refs/headsx/a"}) {
    EXPECT_EQ(Push({{"a", "b"}}, {}, ref)->text,
              ref +
                  " is neither a branch nor a tag, and nothing else can be pushed; push to a ref "
                  "below refs/heads/ or refs/tags/\nexit 1\n");
  }
}

// Until now it was let in, and it stays in the way of nobody.
TEST_F(SyncEngineTest, ARefOfAnotherKindCanBeDeleted) {
  auto terminal = std::make_shared<Terminal>();
  engine_->PreReceive(
      {"site", "ann", {{std::string(40, '1'), std::string(kZeroOid), "refs/replace/x"}}, {}, {}},
      terminal);
  cluster_.Settle();
  EXPECT_EQ(terminal->text, "exit 0\n");
}

TEST_F(SyncEngineTest, APushThatDeploysNothingSaysSo) {
  const std::string says =
      "nothing is deployed: branch main of repository site is, and this push did not move it; git "
      "push REMOTE HEAD:main deploys\nexit 0\n";
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/heads/topic")->text, says);
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/tags/v1")->text, says);
}

TEST_F(SyncEngineTest, ARepositoryHasSoManyRefs) {
  const std::string commit = git_.Push("site", "refs/heads/main", {{"conf.yaml", kConfig}}, "one\n",
                                       cluster_.loop.now().wall);
  for (size_t i = 1; i < kMaxRefs; ++i) {
    git_.SetRef("site", "refs/tags/t" + std::to_string(i), commit);
  }
  EXPECT_EQ(Push({{"a", "b"}}, {}, "refs/heads/topic")->text,
            "repository site would have 10001 branches and tags, and may have 10000; delete some "
            "first\nexit 1\n");
  git_.DeleteRef("site", "refs/tags/t1");
  EXPECT_NE(Push({{"a", "b"}}, {}, "refs/heads/topic")->text.find("exit 0"), std::string::npos);
}

TEST_F(SyncEngineTest, AShallowCloneIsToldWhatToDoAndNothingIsSaidToBeDone) {
  auto terminal = std::make_shared<Terminal>();
  const auto staged = git_.StageShallow("site", "refs/heads/main", {{"conf.yaml", kConfig}},
                                        cluster_.loop.now().wall);
  engine_->PreReceive(
      {"site", "ann", {{staged.old_oid, staged.new_oid, staged.ref}}, {}, staged.quarantine},
      terminal);
  cluster_.Settle();
  EXPECT_EQ(terminal->text,
            "this is a shallow clone: commit 111111111111, which others here come after, is "
            "missing, so Git would refuse them; run git fetch --unshallow (in CI: fetch-depth: 0), "
            "and push again\nexit 1\n");
}

TEST_F(SyncEngineTest, OfTwoPushesAtOnceTheLaterIsNotPlanned) {
  const auto wall = cluster_.loop.now().wall;
  const auto first = git_.Stage("site", "refs/heads/main", {{"conf.yaml", kConfig}}, "1\n", wall);
  const auto second = git_.Stage("site", "refs/heads/main", {{"other.yaml", kOther}}, "2\n", wall);
  EXPECT_TRUE(git_.Accept(first).ok());
  auto terminal = std::make_shared<Terminal>();
  engine_->PreReceive(
      {"site", "ann", {{second.old_oid, second.new_oid, second.ref}}, {}, second.quarantine},
      terminal);
  cluster_.Settle();
  EXPECT_EQ(terminal->text,
            "refs/heads/main has been moved by another push, which came first; run git fetch, and "
            "push again on top of it\nexit 1\n");
}

TEST_F(SyncEngineTest, WhatIsWrongAtManyPlacesIsOneLine) {
  FakeGit::Files files;
  for (int i = 0; i < 30; ++i) {
    files["c" + std::to_string(i + 10) + ".yaml"] =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c" + std::to_string(i) +
        ", namespace: shop}\n";
  }
  EXPECT_EQ(Push(files)->text,
            "c10.yaml:3:33: namespace shop does not exist; add a Namespace manifest, or correct "
            "metadata.namespace (and at 29 more places)\n"
            "refused: 30 errors, nothing was changed\nexit 1\n");
}

TEST_F(SyncEngineTest, ThePushWaitsUntilTheWorkloadIsHealthy) {
  const auto terminal = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  EXPECT_EQ(terminal->text,
            "would create     deployments.apps default/web\nwould create 1\napplied " + Head() +
                ": 1 created\ndeployments.apps default/web  not yet looked at by its "
                "controller\n");
  EXPECT_EQ(Condition("status"), "\"Unknown\"");
  cluster_.SetStatus(
      "deployments.apps", "default", "web",
      "{observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1}");
  cluster_.Settle();
  MakeHealthy();
  terminal->text.clear();
  cluster_.Settle();
  EXPECT_EQ(terminal->text,
            "deployments.apps default/web  2/2 available\nhealthy " + Head() + "\nexit 0\n");
  EXPECT_EQ(Condition("status"), "\"True\"");
}

// What the health of is looked at, besides the Deployment.
std::string ManyServices(int count) {
  std::string yaml;
  for (int i = 0; i < count; ++i) {
    yaml += "---\napiVersion: v1\nkind: Service\nmetadata: {name: s" + std::to_string(i) +
            "}\nspec: {ports: [{port: 80}]}\n";
  }
  return yaml;
}

TEST_F(SyncEngineTest, TheHealthOfALargeDeployIsLookedAtInTurns) {
  constexpr int kServices = 300;
  cluster_.loop.set_pieces_a_turn(1);
  const auto terminal = Push({{"services.yaml", ManyServices(kServices)}});
  const auto told = [&](const std::string& word) {
    return terminal->text.find(word + Head()) != std::string::npos;
  };
  ASSERT_TRUE(cluster_.loop.RunUntil([&] { return told("applied "); }, Duration::Seconds(5)));
  int turns = 0;
  base::Piecework other(cluster_.loop, [&] {
    ++turns;
    return !told("healthy ");
  });
  other.Wake();
  cluster_.Settle();
  EXPECT_TRUE(told("healthy "));
  EXPECT_GE(turns, kServices);
}

TEST_F(SyncEngineTest, WhatBecomesHealthyWhileTheRestIsLookedAtIsNotMissed) {
  cluster_.loop.set_pieces_a_turn(1);
  const auto terminal = Push({{"web.yaml", kWeb}, {"services.yaml", ManyServices(300)}});
  ASSERT_TRUE(cluster_.loop.RunUntil(
      [&] { return terminal->text.find("not yet looked at") != std::string::npos; },
      Duration::Seconds(5)));
  MakeHealthy();
  cluster_.Settle();
  EXPECT_NE(terminal->text.find("healthy " + Head() + "\nexit 0\n"), std::string::npos)
      << terminal->text;
}

TEST_F(SyncEngineTest, WhatBecomesUnhealthyWhileTheRestIsLookedAtIsNotMissed) {
  cluster_.loop.set_pieces_a_turn(1);
  const auto terminal = Push({{"web.yaml", kWeb}, {"services.yaml", ManyServices(300)}});
  const auto told = [&](const std::string& words) {
    return terminal->text.find(words) != std::string::npos;
  };
  const auto is_there = [&] {
    return cluster_.Get("deployments.apps", "default", "web") != nullptr;
  };
  ASSERT_TRUE(cluster_.loop.RunUntil(is_there, Duration::Seconds(5)));
  MakeHealthy();
  // It is the first that is looked at.
  ASSERT_TRUE(cluster_.loop.RunUntil([&] { return told("2/2 available"); }, Duration::Seconds(5)));
  ASSERT_FALSE(told("healthy " + Head()));
  SetAvailable("web", 1);
  cluster_.Settle();
  EXPECT_FALSE(told("healthy " + Head())) << terminal->text;
  MakeHealthy();
  cluster_.Settle();
  EXPECT_TRUE(told("healthy " + Head() + "\nexit 0\n")) << terminal->text;
}

TEST_F(SyncEngineTest, WhatBecomesUnhealthyWhileAnotherIsWaitedForIsNotMissed) {
  std::string api = kWeb;
  api.replace(api.find("{name: web}"), 11, "{name: api}");
  const FakeGit::Files files = {{"web.yaml", kWeb}, {"api.yaml", api}};
  const auto terminal = Push(files);
  const auto told = [&](const std::string& words) {
    return terminal->text.find(words) != std::string::npos;
  };
  cluster_.Settle();
  MakeHealthy();
  cluster_.Settle();
  EXPECT_TRUE(told("web  2/2 available"));
  SetAvailable("web", 1);
  cluster_.Settle();
  SetAvailable("api", 2);
  cluster_.Settle();
  EXPECT_TRUE(told("api  2/2 available"));
  EXPECT_FALSE(told("healthy " + Head())) << terminal->text;
  MakeHealthy();
  cluster_.Settle();
  EXPECT_TRUE(told("healthy " + Head() + "\nexit 0\n")) << terminal->text;
}

TEST_F(SyncEngineTest, AFailedRolloutEndsTheWaitWithItsReason) {
  const auto terminal = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  terminal->text.clear();
  cluster_.SetStatus("deployments.apps", "default", "web",
                     "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", "
                     "reason: ProgressDeadlineExceeded, message: timed out}]}");
  cluster_.Settle();
  const std::string why = "deployments.apps default/web: ProgressDeadlineExceeded: timed out";
  EXPECT_EQ(terminal->text,
            "deployments.apps default/web  ProgressDeadlineExceeded: timed out\n"
            "failed " +
                Head() + ": " + why + "\nexit 0\n");
  EXPECT_EQ(Condition("message"), "\"" + why + "\"");
}

TEST_F(SyncEngineTest, ANewerCommitSupersedesTheWait) {
  const auto first = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  const auto second = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_NE(first->text.find("superseded by a newer push\nexit 0\n"), std::string::npos);
  EXPECT_NE(second->text.find("healthy " + Head() + "\nexit 0\n"), std::string::npos);
  EXPECT_EQ(cluster_.Names("deployments.apps"), "");
}

TEST_F(SyncEngineTest, ADriftIsPutBackOnTheEvent) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: by hand}\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
  cluster_.Delete("configmaps", "default", "conf");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
}

// More than are prepared ahead, and than are put back in a turn; something comes in between.
TEST_F(SyncEngineTest, ManyObjectsAreAppliedAndPutBack) {
  constexpr size_t kMany = 450;
  FakeGit::Files files;
  for (size_t i = 0; i < kMany; ++i) {
    const std::string name = "many-" + std::to_string(i);
    files[name + ".yaml"] =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: one}\n";
  }
  const auto as_asked = [&] {
    size_t count = 0;
    for (const state::ObjectPtr& each : cluster_.store().view().List("configmaps", "default"))
      count += (*each)["data"]["a"].AsString() == "one";
    return count;
  };
  const auto staged = git_.Stage("site", "refs/heads/main", files, "m\n", {});
  PushRequest request{"site", "ann", {{staged.old_oid, staged.new_oid, staged.ref}},
                      {},     {},    groups_};
  request.quarantine = staged.quarantine;
  const auto terminal = std::make_shared<Terminal>();
  engine_->PreReceive(request, terminal);
  cluster_.loop.RunUntil([&] { return terminal->finished(); }, Duration::Seconds(5));
  ASSERT_TRUE(git_.Accept(staged).ok());
  cluster_.Apply(kOther);
  request.quarantine = {};
  engine_->PostReceive(request, terminal);
  EXPECT_EQ(as_asked(), kMany);
  EXPECT_EQ(engine_->plans().first, 1u);
  cluster_.Settle();

  state::Draft draft(cluster_.store().view(), cluster_.Context());
  for (const state::ObjectPtr& each : cluster_.store().view().List("configmaps", "default")) {
    base::Json object = each->document.ToJson();
    object["data"].Set("a", "by hand");
    ASSERT_TRUE(draft.Update(std::move(object)).ok());
  }
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  EXPECT_EQ(as_asked(), 0u);
  cluster_.Settle();
  EXPECT_EQ(as_asked(), kMany);
  EXPECT_TRUE(engine_->Idle());
}

// Clients say themselves which manager they are.
TEST_F(SyncEngineTest, WhoeverTakesTheNameOfGitDriftsAllTheSame) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  state::DraftContext context = cluster_.Context();
  context.actor = std::make_shared<const state::Actor>(
      state::Actor{"mallory", {"plumb:deployer"}, std::string(kFieldManager)});
  state::Draft draft(cluster_.store().view(), context);
  ASSERT_TRUE(draft.Delete({"configmaps", "default", "conf"}, {}).ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), "absent");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
}

TEST_F(SyncEngineTest, AStatusIsNoDrift) {
  Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  MakeHealthy();
  cluster_.Settle();
  const state::Revision before = cluster_.store().revision();
  cluster_.SetStatus("deployments.apps", "default", "web", "{observedGeneration: 1, replicas: 1}");
  cluster_.Settle();
  EXPECT_EQ(cluster_.store().revision(), before + 1);
}

TEST_F(SyncEngineTest, PruneSkipsWhenFetchFails) {
  Push({{"conf.yaml", kConfig}, {"other.yaml", kOther}});
  cluster_.Settle();
  cluster_.faults.Set("git.read.fail", 1);
  git_.Push("site", "refs/heads/main", {{"conf.yaml", kConfig}}, "less\n", {});
  engine_->PostReceive({"site", "ann", {{"", "", "refs/heads/main"}}, {"nowait"}, {}},
                       std::make_shared<Terminal>());
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_EQ(cluster_.Names("configmaps"), "default/conf default/other");
  EXPECT_EQ(Condition("reason"), "\"ReconciliationFailed\"");
  cluster_.faults.Clear();
  cluster_.Settle(Duration::Minutes(1));
  EXPECT_EQ(cluster_.Names("configmaps"), "default/conf");
  EXPECT_EQ(Condition("status"), "\"True\"");
}

TEST_F(SyncEngineTest, APushWhoseSecondHookNeverCameIsAppliedAllTheSame) {
  const auto staged = git_.Stage("site", "refs/heads/main", {{"conf.yaml", kConfig}}, "m\n", {});
  engine_->PreReceive({"site",
                       "ann",
                       {{staged.old_oid, staged.new_oid, staged.ref}},
                       {},
                       staged.quarantine,
                       groups_},
                      std::make_shared<Terminal>());
  cluster_.Settle();
  EXPECT_TRUE(git_.Accept(staged).ok());
  cluster_.Settle(Duration::Seconds(5));
  EXPECT_EQ(cluster_.Names("configmaps"), "");
  cluster_.Settle(Duration::Seconds(10));
  EXPECT_EQ(cluster_.Names("configmaps"), "default/conf");
}

FakeGit::Files InTeam() {
  return {{"a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n"},
          {"b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: in, namespace: team}\n"}};
}

TEST_F(SyncEngineTest, WhatANamespaceThatEndsKeptAwayIsMadeOnceItIsGone) {
  const FakeGit::Files inside = InTeam();
  Push(inside);
  cluster_.Settle();
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("namespaces", "", "team", "status.phase"), "\"Terminating\"");
  Push(inside);  // accepted, since it was deployed before
  cluster_.Settle();
  EXPECT_EQ(cluster_.Get("configmaps", "team", "in"), nullptr);
  cluster_.Apply(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\nspec: {finalizers: []}\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "team/in");
}

TEST_F(SyncEngineTest, ADeployIsHealthyOnceAllOfItIsThere) {
  const FakeGit::Files inside = InTeam();
  Push(inside);
  cluster_.Settle();
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const auto back = Push(inside);
  back->text.clear();
  cluster_.Settle(Duration::Minutes(1));
  EXPECT_EQ(back->text, "applied " + Head() +
                            ": 1 pruned, 1 skipped\nconfigmaps team/in  its namespace is being "
                            "deleted; it is made anew then\nnamespaces team  it is being deleted, "
                            "and is made anew when it is gone\n");
  EXPECT_EQ(Condition("status"), "\"Unknown\"");
  back->text.clear();
  cluster_.Apply(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\nspec: {finalizers: []}\n");
  cluster_.Settle();
  EXPECT_EQ(back->text, "applied " + Head() +
                            ": 1 created, 1 unchanged\nnamespaces team  active\nhealthy " + Head() +
                            "\nexit 0\n");
  EXPECT_EQ(cluster_.Names("configmaps"), "team/in");
  EXPECT_EQ(Condition("status"), "\"True\"");
}

// An earlier deploy had this Deployment, and gave up on it; then somebody made room.
TEST_F(SyncEngineTest, AFailureFromBeforeADeployIsWatchedAnew) {
  const std::string web = std::string(kWeb) + "  progressDeadlineSeconds: 60\n";
  Push({{"web.yaml", web}});
  cluster_.Settle();
  const std::string failed =
      "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: "
      "ProgressDeadlineExceeded, message: timed out, lastTransitionTime: \"" +
      cluster_.loop.now().wall.ToString() + "\"}]}";
  cluster_.Settle(Duration::Seconds(2));
  cluster_.SetStatus("deployments.apps", "default", "web", failed);
  cluster_.Settle();
  for (const bool gets_on : {true, false}) {
    const auto terminal = Push({{"web.yaml", web}, {gets_on ? "a.yaml" : "b.yaml", kConfig}});
    cluster_.Settle(Duration::Seconds(30));
    EXPECT_NE(terminal->text.find("deployments.apps default/web  ProgressDeadlineExceeded: timed "
                                  "out; that was before this deploy\n"),
              std::string::npos)
        << terminal->text;
    EXPECT_EQ(terminal->text.find("exit 0"), std::string::npos) << terminal->text;
    if (gets_on) MakeHealthy();
    cluster_.Settle(Duration::Seconds(31));
    EXPECT_NE(terminal->text.find(gets_on ? "\nhealthy " : "\nfailed "), std::string::npos)
        << terminal->text;
    cluster_.SetStatus("deployments.apps", "default", "web", failed);
    cluster_.Settle();
  }
}

// As a commit that was deployed when this was valid.
TEST_F(SyncEngineTest, WhatCannotBeMadeIsNotHealthy) {
  const std::string stray =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: in, namespace: nowhere}\n";
  const FakeGit::Files files = {{"conf.yaml", kConfig}, {"stray.yaml", stray}};
  cluster_.AddNamespace("nowhere");
  Push(files);
  cluster_.Settle();
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  cluster_.Delete("namespaces", "", "nowhere");
  cluster_.Apply(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: nowhere}\nspec: {finalizers: []}\n");
  cluster_.Settle();
  const auto back = Push(files);
  cluster_.Settle();
  EXPECT_NE(back->text.find("failed " + Head() +
                            ": configmaps nowhere/in: not applied: namespace nowhere does not "
                            "exist; add a Namespace manifest, or correct metadata.namespace\n"),
            std::string::npos)
      << back->text;
}

TEST_F(SyncEngineTest, AfterARestartTheHeadIsAppliedAndNothingIsWrittenTwice) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  engine_.reset();
  git_.Push("site", "refs/heads/main", {{"conf.yaml", kConfig}, {"other.yaml", kOther}}, "m\n", {});
  StartEngine();
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/conf default/other");
  engine_.reset();
  const state::Revision before = cluster_.store().revision();
  StartEngine();
  cluster_.Settle();
  EXPECT_EQ(cluster_.store().revision(), before);
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(SyncEngineTest, TheNextWaveWaitsForTheHealthOfTheOneBefore) {
  const std::string later =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, annotations: "
      "{plumb.dev/wave: \"1\"}}\n";
  Push({{"web.yaml", kWeb}, {"later.yaml", later}});
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "");
  MakeHealthy();
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names("configmaps"), "default/later");
  EXPECT_EQ(Condition("status"), "\"True\"");
}

TEST_F(SyncEngineTest, AChangeBetweenPlanAndCommitIsPlannedAgain) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const auto staged =
      git_.Stage("site", "refs/heads/main",
                 {{"conf.yaml", std::string(kConfig) + "immutable: true\n"}}, "m\n", {});
  ASSERT_TRUE(git_.Accept(staged).ok());
  auto terminal = std::make_shared<Terminal>();
  engine_->PostReceive({"site", "ann", {{"", "", "refs/heads/main"}}, {}, {}}, terminal);
  // The worker has its View by now; this comes before its answer.
  cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: by hand}\n");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "immutable"), "true");
}

TEST_F(SyncEngineTest, ThePlanOfTheVerdictIsCommittedIfItStillHolds) {
  const auto plans = [&] {
    return std::to_string(engine_->plans().first) + " first, " +
           std::to_string(engine_->plans().again) + " again";
  };
  Push({{"conf.yaml", kConfig}});
  EXPECT_EQ(cluster_.Names("configmaps"), "default/conf");  // before any worker has read again
  cluster_.Settle();
  EXPECT_EQ(plans(), "1 first, 0 again");
  // Something comes between the two hooks.
  const auto push = [&](const std::string& text, const std::function<void()>& between) {
    const auto staged = git_.Stage("site", "refs/heads/main", {{"conf.yaml", text}}, "m\n", {});
    PushRequest request{"site", "ann", {{staged.old_oid, staged.new_oid, staged.ref}},
                        {},     {},    groups_};
    request.quarantine = staged.quarantine;
    auto terminal = std::make_shared<Terminal>();
    engine_->PreReceive(request, terminal);
    cluster_.loop.RunUntil([&] { return terminal->finished(); }, Duration::Seconds(5));
    EXPECT_TRUE(git_.Accept(staged).ok());
    between();
    request.quarantine = {};
    engine_->PostReceive(request, terminal);
    cluster_.Settle();
  };
  const std::string two = std::string(kConfig) + "immutable: false\n";
  push(two, [&] { cluster_.Apply(kOther); });
  EXPECT_EQ(plans(), "2 first, 0 again");
  push(kConfig, [&] {
    cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: two}\n");
  });
  EXPECT_EQ(plans(), "2 first, 1 again");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "conf", "data"), R"({"a":"one"})");
  EXPECT_TRUE(engine_->Idle());
}

TEST_F(SyncEngineTest, TheHistorySaysHowEachDeployEnded) {
  const auto phase = [&](int at) {
    return cluster_.Field(kKustomizations, kSystemNamespace, "site",
                          "status.history[" + std::to_string(at) + "].lastReconciledStatus");
  };
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  Push({{"web.yaml", kWeb}});
  EXPECT_EQ(phase(0), "\"Progressing\"");  // as soon as the push has returned
  cluster_.Settle();
  Push({{"web.yaml", kWeb}, {"other.yaml", kOther}});
  cluster_.Settle();
  MakeHealthy();
  cluster_.Settle();
  EXPECT_EQ(phase(0) + phase(1) + phase(2),
            "\"ReconciliationSucceeded\"\"Superseded\"\"ReconciliationSucceeded\"");
  EXPECT_EQ(cluster_.Field(kKustomizations, kSystemNamespace, "site",
                           "status.history[0].metadata.revision"),
            "\"main@sha1:" + head_ + "\"");
}

TEST_F(SyncEngineTest, ARestartLeavesTheHistoryAsItIs) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const std::string before =
      cluster_.Field(kKustomizations, kSystemNamespace, "site", "status.history");
  engine_.reset();
  cluster_.Crash();
  cluster_.Settle(Duration::Minutes(5));
  StartEngine();
  cluster_.Settle();
  EXPECT_EQ(cluster_.Field(kKustomizations, kSystemNamespace, "site", "status.history"), before);
}

}  // namespace
}  // namespace gitsync
