// A deploy of several waves, then one that prunes, with the control plane killed after every single
// commit: each course ends like the one without a crash.
#include <gtest/gtest.h>

#include <limits>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/plan/repository.h"
#include "gitsync/testing/fake_git.h"
#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "reconciler/testing/pod_runner.h"
#include "state/testing/test_cluster.h"
#include "tests/sim/manifest_text.h"

namespace tests {
namespace {

using Files = gitsync::FakeGit::Files;

constexpr base::Duration kSettle = base::Duration::Seconds(40);
constexpr base::Duration kDurable = base::Duration::Millis(100);
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

std::string InWave(const std::string& text, int wave) {
  std::string marked = text;
  for (size_t at = 0; (at = marked.find("metadata: {name:", at)) != std::string::npos; ++at) {
    marked.insert(at + 11, "annotations: {plumb.dev/wave: \"" + std::to_string(wave) + "\"}, ");
  }
  return marked;
}

// One life of a cluster, in which the control plane is killed once, right after a commit.
class Course {
 public:
  Course() { Start(); }

  std::string Run(uint64_t die_at) {
    die_at_ = die_at;
    engine_->CreateRepository("shop", {}, [](base::Status) {});
    Settle();
    // A repository that was not made yet is asked for again.
    if (gitsync::SourceNames(cluster_.store().view()).empty()) {
      engine_->CreateRepository("shop", {}, [](base::Status) {});
      Settle();
    }
    const std::string app = AppText("web", {.replicas = 2, .version = 1});
    Push({{"a.yaml", ConfigText("first", 1)},
          {"b.yaml", InWave(app, 1)},
          {"c.yaml", ConfigText("last", 1, 2)}});
    Push({{"a.yaml", ConfigText("first", 2)}, {"d.yaml", ConfigText("new", 1, 1)}});
    return Describe();
  }
  uint64_t commits() const { return cluster_.store().stats().commits; }

 private:
  void Start() {
    std::vector<std::unique_ptr<reconciler::Controller>> controllers = reconciler::AllControllers();
    controllers.push_back(reconciler::NewPodRunner({}));
    reconciler_ = std::make_unique<reconciler::Reconciler>(
        cluster_.loop, cluster_.store(), cluster_.Context(), std::move(controllers));
    engine_ = std::make_unique<gitsync::SyncEngine>(cluster_.loop, cluster_.store(), git_,
                                                    cluster_.Context());
  }
  void Settle() {
    if (cluster_.loop.RunUntil([&] { return commits() >= die_at_; }, kSettle)) {
      die_at_ = kNever;
      engine_.reset();
      reconciler_.reset();
      cluster_.Settle(kDurable);
      cluster_.Crash();
      Start();
      cluster_.Settle(kSettle);
    }
  }
  void Push(const Files& files) {
    const std::string commit = git_.Push("shop", "refs/heads/main", files, "m\n", {});
    struct Silent final : gitsync::HookSession {
      bool Print(const std::string&) override { return true; }
      void Finish(int) override {}
    };
    engine_->PostReceive({"shop", "ann", {{"", commit, "refs/heads/main"}}, {}, {}},
                         std::make_shared<Silent>());
    Settle();
  }
  // What is there, and what the repository's record says.
  std::string Describe() {
    std::string text;
    const state::View& view = cluster_.store().view();
    for (const char* resource : {"configmaps", "services", "deployments.apps"}) {
      for (const state::ObjectPtr& object : view.List(resource)) {
        text += object->key.ToString() + std::string((*object)["data"].Bytes()) +
                std::string((*object)["spec"]["template"].Bytes()) + "\n";
      }
    }
    size_t pods = 0;
    for (const state::ObjectPtr& pod : view.List("pods")) pods += !pod->Deleting();
    text += std::to_string(pods) + " pods\n";
    const auto repository = gitsync::ReadApplication(view, "shop");
    if (!repository.ok()) return text + repository.status().ToString();
    text += "applied " + repository->applied_commit + "\n";
    const auto inventory = gitsync::ReadInventory(view, *cluster_.schema, "shop").keys;
    for (const state::Key& key : *inventory) {
      text += "inventory " + key.ToString() + "\n";
    }
    const state::ObjectPtr record = view.Get(gitsync::KustomizationKey("shop"));
    for (const base::Value condition : (*record)["status"]["conditions"].Elements()) {
      text += std::string(condition["type"].AsString()) + "=" +
              std::string(condition["status"].AsString()) + " ";
    }
    return text;
  }

  state::TestCluster cluster_;
  gitsync::FakeGit git_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<gitsync::SyncEngine> engine_;
  uint64_t die_at_ = kNever;
};

TEST(EngineCrashTest, WavesAndPruneEndTheSameWhereverItCrashes) {
  Course whole;
  const uint64_t before = whole.commits();
  const std::string expected = whole.Run(kNever);
  EXPECT_NE(expected.find("configmaps default/new"), std::string::npos) << expected;
  EXPECT_EQ(expected.find("default/web"), std::string::npos) << expected;
  EXPECT_NE(expected.find("Ready=True"), std::string::npos) << expected;
  EXPECT_GT(whole.commits(), before + 30);
  for (uint64_t die_at = before + 1; die_at <= whole.commits(); ++die_at) {
    ASSERT_EQ(Course().Run(die_at), expected) << "killed after commit " << die_at;
  }
}

}  // namespace
}  // namespace tests
