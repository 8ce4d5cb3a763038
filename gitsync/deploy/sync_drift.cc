// Drift is looked for where a change says so, never by polling, and put back, but not in the middle
// of a deploy. The same changes tell a waiting deploy whose health to look at.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_repo.h"

namespace gitsync {

namespace {

// What everybody but the status's writers may change.
bool SameBesidesStatus(const state::Object& a, const state::Object& b) {
  for (const char* field : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    if (!(a.Meta(field) == b.Meta(field))) return false;
  }
  if (a.Deleting() != b.Deleting()) return false;
  const auto covered = [](const state::Object& all, const state::Object& by) {
    for (const auto& [field, value] : all.document.root().Members()) {
      if (field != "metadata" && field != "status" && !(value == by[field])) return false;
    }
    return true;
  };
  return covered(a, b) && covered(b, a);
}

}  // namespace

void SyncEngine::Changed(const state::Change& change) {
  NoteHealth(change);
  TryLeftAgain(change);
  const bool by_git =
      change.actor != nullptr && change.actor->program && change.actor->manager == kFieldManager;
  // Who deploys it, and who did until now.
  std::set<std::string> owners;
  for (const state::ObjectPtr& side : {change.previous, change.object}) {
    if (side != nullptr) owners.insert(std::string(side->Labels()[kOwnerLabel].AsString()));
  }
  for (const std::string& owner : owners) {
    const RepoPtr repo = owner.empty() ? nullptr : Find(owner);
    if (repo == nullptr) continue;
    if (!IsInert(change.key())) repo->unsettled.insert(change.key());
    if (!change.removed && !change.created() &&
        SameBesidesStatus(*change.object, *change.previous)) {
      continue;
    }
    repo->unsure.insert(change.key());
    if (change.actor == repo->actor) continue;
    repo->since_plan.insert(change.key());
    // Another repository takes it over, or it comes to be: neither is for us to put back.
    if (by_git || change.created()) continue;
    if (repo->applied == nullptr || repo->applied->Find(change.key()) == nullptr) continue;
    repo->drifted.insert(change.key());
    ScheduleRepair(repo, options_.drift_delay);
  }
}

void SyncEngine::TryLeftAgain(const state::Change& change) {
  const state::Key& key = change.key();
  const bool is_namespace = key.resource == "namespaces";
  if (!change.removed && !(is_namespace && change.created())) return;
  for (const auto& [name, repo] : repos_) {
    const bool left =
        std::any_of(repo->left.begin(), repo->left.end(), [&](const state::Key& each) {
          return each == key || (is_namespace && each.ns == key.name);
        });
    if (!left || std::exchange(repo->again, true)) continue;
    loop_.After(options_.drift_delay, lifeline_.Wrap([this, repo = repo] {
      if (Find(repo->name) != repo) return;
      if (repo->again && !repo->active) Begin(repo, PushOptions(), nullptr);
    }));
  }
}

// An object's health follows from its own status and from what was made for it.
void SyncEngine::NoteHealth(const state::Change& change) {
  std::optional<state::Key> root;
  for (const auto& [name, repo] : repos_) {
    if (!repo->active || repo->unhealthy.empty()) continue;
    if (!root) root = RootOf(change.object != nullptr ? *change.object : *change.previous);
    if (!repo->unhealthy.contains(*root)) continue;
    repo->to_look_at.insert(*root);
    if (repo->health_scheduled) continue;
    repo->health_scheduled = true;
    loop_.After(options_.health_delay, Guarded(repo, [this, repo = repo] {
                  repo->health_scheduled = false;
                  const std::set<state::Key> keys = std::exchange(repo->to_look_at, {});
                  if (repo->active && !repo->unhealthy.empty()) LookAtHealth(repo, keys);
                }));
  }
}

// What an object was made for: of a pod of a Deployment, the Deployment.
state::Key SyncEngine::RootOf(const state::Object& object) const {
  constexpr int kMaxLevels = 4;
  state::Key root = object.key;
  base::Value owner = object.ControllerRef();
  state::ObjectPtr above;
  for (int level = 0; level < kMaxLevels && owner.Exists(); ++level) {
    const manifests::Kind* kind =
        store_.view().schema()->FindKind(owner["apiVersion"].AsString(), owner["kind"].AsString());
    if (kind == nullptr) break;
    root = state::Key{kind->Resource(), kind->namespaced ? root.ns : "",
                      std::string(owner["name"].AsString())};
    above = store_.view().Get(root);
    if (above == nullptr) break;
    owner = above->ControllerRef();
  }
  return root;
}

void SyncEngine::ScheduleRepair(const RepoPtr& repo, base::Duration delay) {
  if (repo->repair_scheduled || repo->between_waves) return;
  repo->repair_scheduled = true;
  loop_.After(delay, lifeline_.Wrap([this, repo] {
    repo->repair_scheduled = false;
    if (Find(repo->name) == repo && !repo->between_waves) Repair(repo);
  }));
}

void SyncEngine::Repair(const RepoPtr& repo) {
  const auto state = ReadRepository(store_.view(), repo->name);
  if (!state.ok()) return;
  std::set<state::Key> keys = std::exchange(repo->drifted, {});
  // What another repository has taken over is no longer ours to put back.
  repo->inventory =
      ReadInventory(store_.view(), *store_.view().schema(), repo->name, repo->inventory);
  std::erase_if(keys, [&](const state::Key& key) { return !repo->inventory.keys->contains(key); });
  RepairPlan plan = PlanRepair(store_.view(), repo->name, *repo->applied, keys, Context(*repo));
  const auto committed = store_.Commit(std::move(plan.transaction));
  if (committed.ok() && plan.errors.empty()) {
    for (const state::Key& key : plan.repaired) {
      base::LogInfo("put back as the repository says",
                    {{"repository", repo->name}, {"object", key.ToString()}});
    }
    return;
  }
  base::LogWarning("drift could not be put back, trying again",
                   {{"repository", repo->name},
                    {"why", committed.ok() ? plan.errors.front().ToString()
                                           : std::string(committed.status().message())}});
  repo->drifted.insert(keys.begin(), keys.end());
  ScheduleRepair(repo, options_.repair_retry);
}

}  // namespace gitsync
