#include "gitsync/report/status_branch.h"

#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

class StatusBranchTest : public testing::Test {
 protected:
  StatusBranchTest() {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(CreateRepository(draft, "shop", {}, "https://plumb/git/shop.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    deploy_.repository = deploy_.application = "shop";
    deploy_.phase = DeployPhase::kHealthy;
    deploy_.revision = RevisionText("main", kCommit);
    deploy_.since = *base::WallTime::Parse("2026-11-23T03:09:54Z");
    deploy_.state = 77;
  }

  void Own(const std::set<state::Key>& keys) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    ASSERT_TRUE(RecordInventory(draft, "shop", keys).ok());
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  StatusTree Render() { return RenderStatus(cluster_.store().view(), deploy_); }

  // Every file's path, and its content without the uid, which tests do not know.
  static std::string Text(const StatusTree& tree) {
    std::string text;
    for (const auto& [path, content] : tree.files) {
      text += "== " + path + "\n" + content;
    }
    for (size_t at; (at = text.find("  uid: ")) != std::string::npos;) {
      text.erase(at, text.find('\n', at) + 1 - at);
    }
    return text;
  }

  state::TestCluster cluster_;
  Deploy deploy_;
};

TEST_F(StatusBranchTest, EveryObjectHasAFileAndTheReadmeTellsAll) {
  cluster_.Apply(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {token: hush}\n---\n"
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n"
      "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
      "    spec: {containers: [{name: web, image: \"hello:1\"}]}\n");
  cluster_.SetStatus("deployments.apps", "default", "web",
                     "{observedGeneration: 1, replicas: 2, updatedReplicas: 2, "
                     "availableReplicas: 1}");
  Own({{"secrets", "default", "key"},
       {"deployments.apps", "default", "web"},
       {"namespaces", "", "default"},
       {"configmaps", "default", "gone"}});
  deploy_.phase = DeployPhase::kFailed;
  deploy_.message = "deployments.apps default/web: it | broke";
  EXPECT_EQ(Text(Render()), R"(== README.md
# shop: failed

Commit `0123456789ab` of `main`, 2026-11-23 03:09:54 UTC. 4 objects: 2 healthy, 1 progressing, 1 missing.

> deployments.apps default/web: it \| broke

| | object | namespace | kind | |
|---|---|---|---|---|
| missing | [gone](default/ConfigMap/gone.yaml) | default | ConfigMap |  |
| progressing | [web](default/Deployment.apps/web.yaml) | default | Deployment.apps | 1/2 available |
| healthy | [default](_cluster/Namespace/default.yaml) |  | Namespace | active |
| healthy | [key](default/Secret/key.yaml) | default | Secret |  |

Written by plumb after each deploy; `git log --notes=plumb` shows the outcome at the commits themselves
(`git fetch REMOTE refs/notes/plumb:refs/notes/plumb`).
== _cluster/Namespace/default.yaml
apiVersion: v1
health:
  level: healthy
  reason: active
kind: Namespace
metadata:
  name: default
== default/ConfigMap/gone.yaml
apiVersion: v1
health:
  level: missing
kind: ConfigMap
metadata:
  name: gone
  namespace: default
== default/Deployment.apps/web.yaml
apiVersion: apps/v1
health:
  level: progressing
  reason: 1/2 available
kind: Deployment
metadata:
  generation: 1
  name: web
  namespace: default
status:
  availableReplicas: 1
  observedGeneration: 1
  replicas: 2
  updatedReplicas: 2
== default/Secret/key.yaml
apiVersion: v1
health:
  level: healthy
kind: Secret
metadata:
  name: key
  namespace: default
)");
}

TEST_F(StatusBranchTest, MessageAndNoteEndInTrailersThatARestartReads) {
  const StatusTree tree = Render();
  EXPECT_EQ(tree.message,
            "healthy 0123456789ab: 0 objects\n\n"
            "Plumb-Revision: main@sha1:0123456789abcdef0123456789abcdef01234567\n"
            "Plumb-Outcome: healthy\nPlumb-Settled: 2026-11-23T03:09:54Z\nPlumb-State: 77\n");
  EXPECT_EQ(tree.note,
            "healthy\n\nPlumb-Revision: main@sha1:0123456789abcdef0123456789abcdef01234567\n"
            "Plumb-Outcome: healthy\nPlumb-Settled: 2026-11-23T03:09:54Z\nPlumb-State: 77\n"
            "Plumb-Objects: 0 objects\n");
  EXPECT_TRUE(Records(tree.message, deploy_));
  EXPECT_TRUE(Records(tree.note, deploy_));
  Deploy later = deploy_;
  later.since = later.since + base::Duration::Seconds(1);
  EXPECT_FALSE(Records(tree.note, later));
}

TEST_F(StatusBranchTest, TheReadmeListsSoManyAndCountsTheRest) {
  std::set<state::Key> keys;
  for (size_t i = 0; i < kMaxReadmeRows + 5; ++i) {
    keys.insert({"configmaps", "default", "c" + std::to_string(i)});
  }
  Own(keys);
  const StatusTree tree = Render();
  EXPECT_EQ(tree.files.size(), kMaxReadmeRows + 6);
  EXPECT_NE(tree.files.at("README.md").find("\nAnd 5 more: each object has a file here.\n"),
            std::string::npos);
}

TEST_F(StatusBranchTest, TheNextTreeIsWhatDiffers) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
  const state::Key a{"configmaps", "default", "a"}, b{"configmaps", "default", "b"},
      c{"configmaps", "default", "c"}, d{"configmaps", "default", "d"};
  Own({a, b, c});
  const StatusTree first = Render();
  cluster_.Delete("configmaps", "default", "b");
  Own({b, c, d});
  const StatusTree next = RenderStatus(cluster_.store().view(), deploy_, first.rendered.get());
  std::string paths;
  for (const auto& [path, content] : next.files) paths += path + "\n";
  for (const std::string& path : next.removed) paths += "- " + path + "\n";
  EXPECT_EQ(paths,
            "README.md\ndefault/ConfigMap/b.yaml\ndefault/ConfigMap/d.yaml\n"
            "- default/ConfigMap/a.yaml\n");
  EXPECT_EQ(next.files.at("README.md"), Render().files.at("README.md"));
}

TEST_F(StatusBranchTest, ALineIsCutBetweenCharacters) {
  EXPECT_EQ(OneLine("a\nb\x1b[1mc\xc2\x9b", 20), "a b [1mc ");
  EXPECT_EQ(OneLine("bad\xff", 20), "bad?");
  EXPECT_EQ(OneLine("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8), "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
  EXPECT_EQ(OneLine("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 7), "\xc3\xa4\xc3\xa4...");
}

}  // namespace
}  // namespace gitsync
