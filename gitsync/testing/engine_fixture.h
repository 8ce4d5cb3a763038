// A repository "site" with an engine and what follows the end of a deploy, over a fake Git and a
// store on virtual time: for tests of what a push leaves behind.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/report/status_branch.h"
#include "gitsync/report/status_publisher.h"
#include "gitsync/testing/fake_git.h"
#include "gitsync/testing/terminal.h"
#include "state/testing/test_cluster.h"

namespace gitsync {

class EngineFixture : public testing::Test {
 protected:
  static constexpr char kConfig[] =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one}\n";
  static constexpr char kWeb[] =
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
      "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
      "    spec: {containers: [{name: web, image: \"hello:1\"}]}\n";

  EngineFixture() : git_(&cluster_.faults) {
    cluster_.AddNamespace("team");
    Start();
    engine_->CreateRepository("site", {}, [](base::Status s) { EXPECT_TRUE(s.ok()); });
    cluster_.Settle();
  }

  void Start() {
    publisher_ = std::make_unique<StatusPublisher>(cluster_.loop, cluster_.store(), git_);
    engine_ = std::make_unique<SyncEngine>(cluster_.loop, cluster_.store(), git_,
                                           cluster_.Context(), options_);
  }
  // The process ends: what was not durable is lost, and so is what runs.
  void Stop() {
    engine_.reset();
    publisher_.reset();
    cluster_.Crash();
  }

  // An accepted push, as far as its deploy goes at once. The commit.
  std::string Push(const FakeGit::Files& files, std::shared_ptr<Terminal> terminal = nullptr) {
    const std::string commit =
        git_.Push("site", "refs/heads/main", files, "change\n", cluster_.loop.now().wall);
    if (terminal == nullptr) terminal = std::make_shared<Terminal>();
    engine_->PostReceive({"site", "ann", {{"", commit, "refs/heads/main"}}, {}, {}}, terminal);
    return commit;
  }

  void SetDeployment(const std::string& status) {
    cluster_.SetStatus("deployments.apps", "default", "web", status);
  }
  static constexpr char kHealthyWeb[] =
      "{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}";
  static constexpr char kFailedWeb[] =
      "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: "
      "ProgressDeadlineExceeded, message: timed out}]}";

  // The branch's subjects, the newest first, a line each.
  std::string Branch() {
    const auto tip = git_.Resolve("site", std::string(kStatusRef));
    if (!tip.ok()) return "";
    std::string text;
    const auto history = git_.History("site", *tip, 100);
    for (const CommitInfo& commit : *history) text += commit.subject + "\n";
    return text;
  }
  // The first line of a commit's note.
  std::string Note(const std::string& commit) {
    const auto note = git_.ReadNote("site", std::string(kNotesRef), commit);
    return note.ok() ? note->substr(0, note->find('\n')) : "";
  }

  state::TestCluster cluster_;
  FakeGit git_;
  EngineOptions options_;
  std::unique_ptr<StatusPublisher> publisher_;
  std::unique_ptr<SyncEngine> engine_;
};

}  // namespace gitsync
