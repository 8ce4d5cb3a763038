// Drift is looked for where a change says so, never by polling, and put back, but not in the middle
// of a deploy. The same changes tell a waiting deploy whose health to look at.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"

namespace gitsync {

namespace {

// So many are put back in a turn.
constexpr size_t kMaxRepairedAtOnce = 200;

// The next after `last`; from the first again if there is none.
std::set<state::Key> TakeAfter(const state::Key& last, std::set<state::Key>& keys) {
  std::set<state::Key> taken;
  auto next = keys.upper_bound(last);
  if (next == keys.end()) next = keys.begin();
  while (next != keys.end() && taken.size() < kMaxRepairedAtOnce) {
    taken.insert(keys.extract(next++));
  }
  return taken;
}

std::string_view OwnerOf(const state::Object* object) {
  return object == nullptr ? std::string_view() : object->Labels()[kOwnerLabel].AsString();
}

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
  tables_.Note(change);
  Follow(change);
  WakeAwaiting(change);
  NoteHealth(change);
  TryLeftAgain(change);
  // Who deploys it, and who did until now.
  const std::string_view owner = OwnerOf(change.object.get());
  const std::string_view before = OwnerOf(change.previous.get());
  for (const std::string_view each : {owner, before == owner ? std::string_view() : before}) {
    const AppPtr app = each.empty() ? nullptr : Find(std::string(each));
    if (app != nullptr) NoteChanged(app, change);
  }
}

// `app` deploys the object, or did until now.
void SyncEngine::NoteChanged(const AppPtr& app, const state::Change& change) {
  const state::Key& key = change.key();
  if (!IsInert(key)) {
    app->unsettled.insert(key);
    LookAgain(app, key);
  }
  if (!change.removed && !change.created() && SameBesidesStatus(*change.object, *change.previous)) {
    return;
  }
  const bool own = change.actor == app->actor;
  if (own && app->completing) return;  // sure as soon as it is committed
  Touched& touched = app->unsure[key];
  // What somebody else did is not made up for by what it did itself.
  if (!own || touched.at == 0 || touched.own) touched = {change.revision, own};
  // Another application takes it over, or it comes to be: neither is for us to put back.
  const bool by_git =
      change.actor != nullptr && change.actor->program && change.actor->manager == kFieldManager;
  if (own || by_git || change.created()) return;
  if (app->applied == nullptr || app->applied->Find(key) == nullptr) return;
  app->drifted.insert(key);
  ScheduleRepair(app, options_.drift_delay);
}

void SyncEngine::TryLeftAgain(const state::Change& change) {
  const state::Key& key = change.key();
  const bool is_namespace = key.resource == "namespaces";
  if (!change.removed && !(is_namespace && change.created())) return;
  for (const std::string& name : leaving_) {
    const AppPtr app = Find(name);
    const auto is_in = [&](const state::Key& each) { return each.ns == key.name; };
    const bool left = app->left.contains(key) ||
                      (is_namespace && std::any_of(app->left.begin(), app->left.end(), is_in));
    if (!left || std::exchange(app->again, true)) continue;
    loop_.After(options_.drift_delay, lifeline_.Wrap([this, app] {
      if (Find(app->name) != app || !app->again) return;
      if (!app->deploy) {
        Begin(app, Start());
      } else if (app->deploy->applied && app->deploy->complete && !app->deploy->absent.empty()) {
        PlanLeft(app);
      }
    }));
  }
}

// An object's health follows from its own status and from what was made for it.
void SyncEngine::NoteHealth(const state::Change& change) {
  if (watched_.empty()) return;
  const auto watched = watched_.find(RootOf(*change.object));
  if (watched == watched_.end()) return;
  for (const std::string& name : watched->second) {
    const AppPtr app = Find(name);
    if (!app->deploy->unhealthy.contains(watched->first)) continue;
    app->to_look_at.insert(watched->first);
    if (app->health_scheduled) continue;
    app->health_scheduled = true;
    loop_.After(options_.health_delay, Guarded(app, [this, app] {
                  app->health_scheduled = false;
                  Look(app);
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

void SyncEngine::ScheduleRepair(const AppPtr& app, base::Duration delay) {
  if (app->repair_scheduled || app->between_waves) return;
  app->repair_scheduled = true;
  loop_.After(delay, lifeline_.Wrap([this, app] {
    app->repair_scheduled = false;
    if (Find(app->name) == app && !app->between_waves) Repair(app);
  }));
}

void SyncEngine::Repair(const AppPtr& app) {
  const auto state = ReadApplication(store_.view(), app->name);
  if (!state.ok()) return;
  std::set<state::Key> keys = TakeAfter(app->repaired_to, app->drifted);
  app->repaired_to = keys.empty() ? state::Key() : *keys.rbegin();
  // What another application has taken over is no longer ours to put back.
  app->inventory = ReadInventory(store_.view(), *store_.view().schema(), app->name, app->inventory);
  std::erase_if(keys, [&](const state::Key& key) { return !app->inventory.keys->contains(key); });
  RepairPlan plan = PlanRepair(store_.view(), app->name, *app->applied, keys, Context(*app));
  const auto committed = store_.Commit(plan.transaction);
  if (committed.ok() && plan.errors.empty()) {
    for (const state::Key& key : plan.repaired) {
      base::LogInfo("put back as Git says",
                    {{"application", app->name}, {"object", key.ToString()}});
    }
    if (!app->drifted.empty()) ScheduleRepair(app, base::Duration());
    return;
  }
  base::LogWarning("drift could not be put back, trying again",
                   {{"application", app->name},
                    {"why", committed.ok() ? plan.errors.front().ToString()
                                           : std::string(committed.status().message())}});
  app->drifted.insert(keys.begin(), keys.end());
  ScheduleRepair(app, options_.repair_retry);
}

}  // namespace gitsync
