// PlanTest: repositories over a TestCluster, pushes to them planned and committed.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "gitsync/plan/plan.h"
#include "gitsync/plan/repository.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace planned {  // its names are those of its tests alone

using Files = std::map<std::string, std::string>;

inline constexpr char kNamespace[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
inline constexpr char kConfig[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, namespace: shop}\ndata: {a: one, b: "
    "two}\n";
inline constexpr char kWeb[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: hello:1
        envFrom: [{configMapRef: {name: conf}}]
)";

inline std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    AddRepository("site", {});
    AddRepository("other", {});
  }

  void AddRepository(const std::string& name, const RepositorySettings& settings) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    const base::Status status =
        CreateRepository(draft, name, settings, "https://git.example.com/" + name + ".git");
    ASSERT_TRUE(status.ok()) << status.ToString();
    Commit(draft.Finish());
  }

  void Commit(state::Transaction transaction) {
    const auto committed = cluster_.store().Commit(std::move(transaction));
    ASSERT_TRUE(committed.ok()) << committed.status().ToString();
  }

  ManifestSet Set(const Files& files, const ApplicationScope& scope = {}) {
    Discovery discovery;
    ManifestSet set;
    for (const auto& [path, text] : files) {
      discovery.files.push_back(ManifestFile{path, text, text.size()});
      set.tree += path + text;
    }
    const auto read =
        ReadManifests(discovery, scope, cluster_.schema, cache_,
                      [](const std::string& oid) { return base::Result<std::string>(oid); });
    const std::string tree = set.tree;
    set = *read;
    set.tree = "tree " + std::to_string(std::hash<std::string>()(tree));
    set.commit = "commit of " + set.tree;
    return set;
  }

  SyncPlan Plan(const std::string& name, const ManifestSet& set, const PushOptions& options = {}) {
    auto state = ReadApplication(cluster_.store().view(), name);
    EXPECT_TRUE(state.ok());
    state->inventory = ReadInventory(cluster_.store().view(), *cluster_.schema, name);
    state->applied = applied_[name];
    state->unsure = unsure_[name];
    return PlanSync(cluster_.store().view(), *state, set, options, cluster_.Context());
  }

  // What a push would do: the errors, or the plan as lines.
  std::string Judge(const Files& files, const PushOptions& options = {},
                    const std::string& name = "site") {
    return Text(Plan(name, Set(files), options));
  }

  static std::string Text(const SyncPlan& plan) {
    std::string text;
    for (const SourceError& error : plan.errors) text += error.ToString() + "\n";
    for (const SourceError& warning : plan.warnings)
      text += "warning: " + warning.ToString() + "\n";
    if (!plan.errors.empty()) return text;
    for (const std::string& line : PlanLines(plan)) text += line + "\n";
    return text;
  }

  // Applies one wave; the plan as lines.
  std::string Push(const Files& files, const PushOptions& options = {},
                   const std::string& name = "site") {
    auto set = std::make_shared<const ManifestSet>(Set(files));
    SyncPlan plan = Plan(name, *set, options);
    const std::string text = Text(plan);
    if (!plan.errors.empty()) return text;
    Commit(plan.transaction);
    if (plan.complete) {
      applied_[name] = set;
      unsure_[name] = std::make_shared<const std::set<state::Key>>(std::move(plan.unsure));
    }
    return text;
  }

  // What somebody else writes; the process does not know then what is as it should be.
  void ByHand(const std::string& yaml) {
    cluster_.Apply(yaml);
    unsure_.clear();
  }

  // One value of the ConfigMap, written by a program that calls itself so.
  void Set(const std::string& manager, const std::string& name, const std::string& value) {
    Edit(manager, "", {"configmaps", "shop", "conf"},
         [&](base::Json& conf) { conf["data"].Set(name, value); });
  }

  void Edit(const std::string& manager, const std::string& subresource, const state::Key& key,
            const std::function<void(base::Json&)>& change) {
    state::DraftContext context = cluster_.Context();
    context.actor = state::ProgramActor(manager);
    state::Draft draft(cluster_.store().view(), context);
    base::Json object = draft.view().Get(key)->document.ToJson();
    change(object);
    const auto done =
        draft.Update(std::move(object), manifests::UnknownFields::kError, subresource);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
    Commit(draft.Finish());
    unsure_.clear();
  }

  // As an earlier plumb wrote it.
  void ForgetManagers(const state::Key& key) {
    const state::ObjectPtr object = cluster_.store().view().Get(key);
    state::Transaction transaction;
    transaction.writes.push_back({key, object->document, object->revision});
    Commit(std::move(transaction));
  }

  std::string Data() { return cluster_.Field("configmaps", "shop", "conf", "data"); }

  std::string Inventory(const std::string& name = "site") {
    std::string text;
    const auto inventory = ReadInventory(cluster_.store().view(), *cluster_.schema, name);
    for (const state::Key& key : *inventory.keys) text += key.ToString() + ", ";
    return text;
  }

  state::TestCluster cluster_;
  ParseCache cache_;
  std::map<std::string, std::shared_ptr<const ManifestSet>> applied_;
  std::map<std::string, std::shared_ptr<const std::set<state::Key>>> unsure_;
};

}  // namespace planned
using namespace planned;  // NOLINT
}  // namespace gitsync
