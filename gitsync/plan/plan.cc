// The rule: apply all manifests wave by wave into one draft, collecting every mistake; in the last
// wave prune what the inventory has and the commit lacks; then look at the state that all this
// would produce: does every reference resolve, do the workloads fit into the quotas? The
// transaction is what the first wave with a change changed, the record of the inventory included.
//
// Pruning is for certain knowledge only: a commit with a document that cannot be read prunes
// nothing, nor does one without any object (unless the push says allow-empty). What another
// application has taken over, or will have once this commit is applied, is handed over, not
// deleted; what may have moved to one whose part of the commit cannot be read is kept until it can;
// what asks to be kept is kept, and leaves the inventory, as does what does not carry the
// application's mark or is outside of its namespaces: an inventory alone ends nothing. A path that
// the commit lacks is an error of its application alone, and changes nothing.
//
// What only one may have (a node port, an address, room in a quota) may go from one object to
// another: who has it is judged by the end of each transaction. An object that has no right to it
// is an error, and left as it was.
//
// An error refuses the push only if the push brings it: one that the applied commit has too, at the
// same file with the same words, is a warning, and its object stays as it is. All errors of a tree
// that was applied before are warnings: a way back is never blocked.
#include "gitsync/plan/plan.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "gitsync/plan/apply_manifest.h"
#include "gitsync/plan/apply_order.h"
#include "gitsync/plan/by_hand.h"
#include "gitsync/plan/references.h"
#include "gitsync/plan/workload_quota.h"
#include "manifests/kinds/kind_facts.h"

namespace gitsync {
namespace {

// Whoever asks for the plan, what it writes is the repository's.
state::DraftContext ByGit(state::DraftContext context) {
  if (context.actor == nullptr || context.actor->manager != kFieldManager)
    context.actor = state::ProgramActor(kFieldManager);
  return context;
}

constexpr std::string_view kFluxPrune = "kustomize.toolkit.fluxcd.io/prune";
constexpr std::string_view kArgoOptions = "argocd.argoproj.io/sync-options";

bool KeepsFromPruning(const state::Object& object) {
  const base::Value annotations = object.Meta("annotations");
  return annotations[kFluxPrune].AsString() == "disabled" ||
         annotations[kArgoOptions].AsString().find("Prune=false") != std::string_view::npos;
}

// The application that deploys an object, as its labels say; empty if none does. What Flux itself
// deploys carries the same labels, with another namespace.
std::string_view OwnerOf(const state::Object& live) {
  const base::Value labels = live.Labels();
  return labels[kOwnerNamespaceLabel].AsString(kSystemNamespace) == kSystemNamespace
             ? labels[kOwnerLabel].AsString()
             : std::string_view();
}

// "repository" for the application that is all of one, as `plumb repo create` makes it.
std::string NounOf(const Application& application) {
  return application.settings.source == application.name ? "repository" : "application";
}

class SyncPlanner {
 public:
  SyncPlanner(const state::View& view, const Application& application, const ManifestSet& set,
              const PushOptions& options, const state::DraftContext& context,
              const SourceSets& sets)
      : before_(view),
        application_(application),
        set_(set),
        options_(options),
        sets_(sets),
        draft_(view, ByGit(context)) {
    plan_.basis.made_at = view.revision();
    plan_.basis.schema = view.schema()->version();
    draft_.JudgeAtEnd();
  }

  // Everything the set asks for, whatever is known to be applied; the errors only.
  std::vector<SourceError> JudgeAll() { return Run(/*all=*/true).errors; }

  SyncPlan Run(bool all = false) {
    plan_.errors = set_.errors;
    CompareWithInventory();
    RefuseEmpty();
    const std::vector<const Manifest*> chosen = ToLookAt(all);
    // Known to the inventory only once it is applied: what somebody else made is never pruned.
    for (const Manifest* manifest : chosen) {
      if (gained_.erase(manifest->key) > 0) unlisted_.insert(manifest->key);
    }
    const std::vector<Wave> waves = WavesOf(chosen, plan_.errors);
    for (size_t i = 0; i < waves.size(); ++i) {
      const bool changed = ApplyWave(waves[i]);
      if (i + 1 == waves.size()) break;
      if (changed) EndWave(/*last=*/false);
    }
    Prune();
    EndWave(/*last=*/true);
    CheckReferences(all);
    CheckQuotas();
    plan_.after = draft_.view();
    std::stable_sort(plan_.errors.begin(), plan_.errors.end(),
                     [](const SourceError& a, const SourceError& b) {
                       return std::tie(a.path, a.mark) < std::tie(b.path, b.mark);
                     });
    return std::move(plan_);
  }

 private:
  void Add(Action action, const state::Key& key, std::string note = "") {
    plan_.results.push_back(ObjectResult{action, key, std::move(note)});
  }

  // The manifests that may not be applied yet. Two sets share the manifest of a file that neither
  // changed, so a walk along both finds those that differ.
  std::vector<const Manifest*> ToLookAt(bool all) {
    const bool known = !all && application_.applied != nullptr && application_.unsure != nullptr;
    std::vector<const Manifest*> chosen;
    auto old = known ? application_.applied->manifests.begin() : set_.manifests.end();
    const auto end = known ? application_.applied->manifests.end() : old;
    for (const Manifest& manifest : set_.manifests) {
      while (old != end && old->key < manifest.key) ++old;
      const bool same = old != end && old->object == manifest.object && old->key == manifest.key;
      if (same && !application_.unsure->contains(manifest.key)) {
        ++plan_.untouched;
      } else {
        chosen.push_back(&manifest);
      }
    }
    return chosen;
  }

  // What the inventory lacks of the set, and what it has beyond it.
  void CompareWithInventory() {
    const std::set<state::Key>& keys = *application_.inventory.keys;
    auto key = keys.begin();
    for (const Manifest& manifest : set_.manifests) {
      for (; key != keys.end() && *key < manifest.key; ++key) gone_.push_back(*key);
      if (key != keys.end() && *key == manifest.key) {
        ++key;
      } else {
        gained_.insert(manifest.key);
      }
    }
    gone_.insert(gone_.end(), key, keys.end());
  }

  void RefuseEmpty() {
    const size_t deployed = application_.inventory.keys->size();
    if (!set_.manifests.empty() || options_.allow_empty) return;
    const bool all_move = std::all_of(gone_.begin(), gone_.end(), [&](const state::Key& key) {
      return !sets_.OtherWith(application_.name, key).empty();
    });
    if (all_move) return;
    plan_.errors.push_back(SourceError{".",
                                       {},
                                       "the commit deploys nothing, which would prune all " +
                                           std::to_string(deployed) + " objects of the " +
                                           NounOf(application_) +
                                           "; push with -o allow-empty if that is meant"});
  }

  // True if anything is to be written.
  bool ApplyWave(const Wave& wave) {
    bool changed = false;
    for (const Manifest* manifest : wave) changed |= Apply(*manifest);
    return changed;
  }

  bool Apply(const Manifest& manifest) {
    const state::ObjectPtr live = before_.Get(manifest.key);
    const std::string owner = live ? OtherOwner(*live) : "";
    plan_.basis.AddChanged(before_, manifest.key);
    if (!MayApply(manifest, owner)) {
      plan_.unsure.insert(manifest.key);
      return false;
    }
    const size_t errors = plan_.errors.size();
    const Outcome outcome =
        ApplyManifest(draft_, manifest, application_.name, plan_.errors, plan_.warnings);
    if (outcome == Outcome::kFailed || outcome == Outcome::kSkipped) {
      NoteAbsence(manifest, live.get(),
                  plan_.errors.size() > errors ? plan_.errors.back().message : "");
    }
    if (outcome == Outcome::kFailed) {  // what the inventory had, it keeps
      plan_.unsure.insert(manifest.key);
      return false;
    }
    if (unlisted_.contains(manifest.key)) gained_.insert(manifest.key);
    if (!owner.empty()) {
      taken_[owner].insert(manifest.key);
      Add(Action::kHandedOver, manifest.key, "from " + Called(before_, owner));
      return true;
    }
    switch (outcome) {
      case Outcome::kCreated: Add(Action::kCreated, manifest.key); break;
      case Outcome::kConfigured: Add(Action::kConfigured, manifest.key); break;
      case Outcome::kSkipped:
        plan_.unsure.insert(manifest.key);
        Add(Action::kSkipped, manifest.key,
            live != nullptr && live->Deleting()
                ? "it is being deleted, and is made anew when it is gone"
                : "an annotation asks to leave it alone");
        return false;
      default: Add(Action::kUnchanged, manifest.key); return false;
    }
    changed_.push_back(&manifest);
    return true;
  }

  // Of what is not applied, what is not there either. `refused` says why it cannot be made.
  void NoteAbsence(const Manifest& manifest, const state::Object* live,
                   const std::string& refused) {
    const state::ObjectPtr ns = before_.Get("namespaces", "", manifest.key.ns);
    const bool goes = live != nullptr && live->Deleting();
    if (goes || (!refused.empty() && live == nullptr && ns != nullptr && ns->Deleting())) {
      plan_.absent[manifest.key] = {Absence::Cause::kAwaited,
                                    goes ? "it is being deleted, and is made anew when it is gone"
                                         : "its namespace is being deleted; it is made anew then"};
    } else if (live == nullptr) {
      plan_.absent[manifest.key] = {
          refused.empty() ? Absence::Cause::kUnasked : Absence::Cause::kRefused,
          "not applied: " + refused};
    }
  }

  // Each object has one owner: the others' manifests of it are mistakes.
  bool MayApply(const Manifest& manifest, const std::string& owner) {
    const auto refuse = [&](const std::string& who, const std::string& remedy) {
      plan_.errors.push_back(
          manifest.Error(manifest.object->mark, manifest.key.ToString() + " is deployed by " + who +
                                                    "; remove it from one of the two" + remedy));
      return false;
    };
    const bool own = application_.inventory.keys->contains(manifest.key);
    const std::string rival = own ? "" : sets_.OtherWith(application_.name, manifest.key);
    if (!rival.empty()) return refuse("application " + rival + " of this repository", "");
    // What moves between two applications of a commit is taken over without being asked for.
    const auto sibling = sets_.sets.find(owner);
    const bool moves = sibling != sets_.sets.end() && sibling->second->errors.empty();
    if (owner.empty() || moves || options_.take_over) return true;
    return refuse(Called(before_, owner), ", or push with -o take-over to move it here");
  }

  // The other application that has the object in its inventory; empty if none has.
  std::string OtherOwner(const state::Object& object) {
    const std::string owner(object.Labels()[kOwnerLabel].AsString());
    if (owner.empty() || owner == application_.name) return "";
    auto known = inventories_.find(owner);
    if (known == inventories_.end()) {
      plan_.basis.Add(before_, InventoryKey(owner));
      known =
          inventories_.emplace(owner, ReadInventory(before_, draft_.schema(), owner).keys).first;
    }
    return known->second->contains(object.key) ? owner : "";
  }

  void Prune() {
    std::vector<state::Key> gone = gone_;
    std::stable_sort(gone.begin(), gone.end(), [](const state::Key& a, const state::Key& b) {
      return manifests::RankOf(a.resource) > manifests::RankOf(b.resource);
    });
    const bool uncertain = !set_.errors.empty();
    const std::string unclear = sets_.OtherUnclear(application_.name);
    for (const state::Key& key : gone) {
      plan_.basis.Add(before_, key);
      const state::ObjectPtr live = draft_.view().Get(key);
      const std::string heir = sets_.OtherWith(application_.name, key);
      if (live == nullptr) {
        left_.insert(key);
      } else if (const std::string_view owner = OwnerOf(*live); owner != application_.name) {
        owner.empty() ? Add(Action::kSkipped, key, "not pruned: it is not labelled as deployed")
                      : Add(Action::kHandedOver, key, "to " + Called(before_, owner));
        left_.insert(key);
      } else if (!application_.settings.scope.Covers(key)) {
        Add(Action::kSkipped, key, "not pruned: it is outside of the application's namespaces");
        left_.insert(key);
      } else if (!heir.empty()) {
        // Kept in the inventory until then: whatever comes between, somebody owns it.
        plan_.withheld = true;
        Add(Action::kHandedOver, key, "to application " + heir + ", once that is applied");
      } else if (!application_.settings.prune) {
        Add(Action::kSkipped, key, "not pruned: spec.prune of the Kustomization is false");
      } else if (uncertain) {
        Add(Action::kSkipped, key, "not pruned: some manifests could not be read");
      } else if (!unclear.empty()) {
        plan_.withheld = true;
        Add(Action::kSkipped, key,
            "not pruned: it may be application " + unclear + "'s now, which cannot be read");
      } else if (set_.manifests.empty() && !options_.allow_empty) {
        Add(Action::kSkipped, key, "not pruned: the commit deploys nothing");
      } else {
        PruneOne(*live);
      }
    }
  }

  void PruneOne(const state::Object& live) {
    if (KeepsFromPruning(live)) {
      Add(Action::kSkipped, live.key, "not pruned: an annotation asks to keep it");
    } else if (!live.Deleting()) {
      const base::Status deleted =
          draft_.Delete(live.key, state::DeleteOptions{.uid = std::string(live.Uid())}).status();
      if (!deleted.ok()) {
        return Add(Action::kSkipped, live.key, "not pruned: " + std::string(deleted.message()));
      }
      Add(Action::kPruned, live.key);
    }
    left_.insert(live.key);
  }

  // Records the inventory; the first wave that changes anything becomes the transaction.
  void EndWave(bool last) {
    RefuseUnsettled();
    if (!plan_.transaction.empty()) return;
    for (const auto& [owner, keys] : taken_) Note(Disown(draft_, owner, keys));
    plan_.basis.Add(before_, InventoryKey(application_.name));
    if (before_.Get(KustomizationKey(application_.name)) != nullptr) {
      if (last) plan_.basis.Add(before_, KustomizationKey(application_.name));
      if (!gained_.empty() || !left_.empty()) {
        Note(RecordInventory(draft_, application_.name, NewInventory()));
      }
      if (last) Note(RecordApplied(draft_, application_, set_));
    }
    plan_.transaction = draft_.Finish();
    plan_.results_done = plan_.results.size();
    plan_.basis.AddWrites(plan_.transaction);
    plan_.complete = last;
  }

  void RefuseUnsettled() {
    for (const state::Draft::Refusal& refusal : draft_.Settle()) {
      const state::Key& key = refusal.key;
      std::erase_if(plan_.results, [&](const ObjectResult& result) { return result.key == key; });
      std::erase_if(changed_, [&](const Manifest* manifest) { return manifest->key == key; });
      if (unlisted_.contains(key)) gained_.erase(key);
      for (auto& [owner, keys] : taken_) keys.erase(key);
      plan_.unsure.insert(key);
      if (const Manifest* manifest = set_.Find(key)) {
        AddErrors(*manifest, refusal.why, plan_.errors);
      } else {
        Note(refusal.why);
      }
    }
  }

  std::set<state::Key> NewInventory() const {
    std::set<state::Key> keys = *application_.inventory.keys;
    for (const state::Key& key : left_) keys.erase(key);
    keys.insert(gained_.begin(), gained_.end());
    return keys;
  }

  void Note(const base::Status& status) {
    if (!status.ok()) {
      plan_.errors.push_back(SourceError{".", {}, std::string(status.message())});
    }
  }

  // A manifest that did not change is looked at only if something that it may name did.
  void CheckReferences(bool all) {
    if (options_.allow_missing) return;
    all |= std::any_of(plan_.results.begin(), plan_.results.end(), [&](const ObjectResult& result) {
      return manifests::FactsOf(result.key.resource).named &&
             (result.action == Action::kPruned ||
              (result.action == Action::kConfigured && LosesKeys(result.key)));
    });
    if (all) {
      for (const Manifest& manifest : set_.manifests) CheckReferencesOf(manifest);
    } else {
      for (const Manifest* manifest : changed_) CheckReferencesOf(*manifest);
    }
  }

  // A key of a ConfigMap or Secret that somebody may name is no longer there.
  bool LosesKeys(const state::Key& key) const {
    const state::ObjectPtr old = before_.Get(key), now = draft_.view().Get(key);
    for (const char* field : {"data", "binaryData"}) {
      for (const auto& [name, value] : (*old)[field].Members()) {
        if (!(*now)[field][name].Exists()) return true;
      }
    }
    return false;
  }

  void CheckReferencesOf(const Manifest& manifest) {
    for (const Missing& missing :
         MissingReferences(manifest.key.resource, manifest.key.ns, *manifest.object, draft_.view(),
                           draft_.schema())) {
      plan_.errors.push_back(manifest.Error(missing.mark, missing.field + ": " + missing.message));
    }
  }

  void CheckQuotas() {
    std::map<std::string, std::string> excess;  // by namespace
    for (const Manifest* manifest : changed_) {
      const base::Json& spec = (*manifest->object)["spec"];
      // A Pod meets the quota in the draft itself.
      if (manifest->key.resource == "pods" ||
          manifests::FactsOf(manifest->key.resource).pods == nullptr) {
        continue;
      }
      const std::string& ns = manifest->key.ns;
      auto known = excess.find(ns);
      if (known == excess.end()) {
        known = excess.emplace(ns, QuotaExcess(before_, draft_.view(), ns)).first;
      }
      if (known->second.empty()) continue;
      const base::Json& replicas = spec["replicas"];
      plan_.errors.push_back(
          manifest->Error(replicas.mark.line != 0 ? replicas.mark : spec.mark, known->second));
    }
  }

  const state::View& before_;
  const Application& application_;
  const ManifestSet& set_;
  const PushOptions options_;
  const SourceSets& sets_;
  state::Draft draft_;
  SyncPlan plan_;
  std::vector<state::Key> gone_;                       // in the inventory, not in the set
  std::set<state::Key> unlisted_;                      // to be applied, and not in the inventory
  std::set<state::Key> gained_, left_;                 // by the inventory
  std::map<std::string, std::set<state::Key>> taken_;  // by the application they come from
  std::map<std::string, std::shared_ptr<const std::set<state::Key>>> inventories_;  // of others
  std::vector<const Manifest*> changed_;
};

// Moves the errors that were there before from the errors to the warnings.
void ForgiveOldErrors(const std::vector<SourceError>& old, SyncPlan& plan) {
  std::multiset<std::pair<std::string, std::string>> known;
  for (const SourceError& error : old) known.emplace(error.path, error.message);
  std::vector<SourceError> fresh;
  for (SourceError& error : plan.errors) {
    const auto same = known.find({error.path, error.message});
    if (same == known.end()) {
      fresh.push_back(std::move(error));
    } else {
      known.erase(same);
      plan.warnings.push_back(std::move(error));
    }
  }
  plan.errors = std::move(fresh);
}

}  // namespace

base::Result<PushOptions> ParsePushOptions(const std::vector<std::string>& options) {
  PushOptions parsed;
  const std::map<std::string_view, bool*> known = {{"nowait", &parsed.no_wait},
                                                   {"dry-run", &parsed.dry_run},
                                                   {"allow-missing", &parsed.allow_missing},
                                                   {"allow-empty", &parsed.allow_empty},
                                                   {"take-over", &parsed.take_over}};
  for (const std::string& option : options) {
    const auto found = known.find(option);
    if (found == known.end()) {
      std::string names;
      for (const auto& [name, value] : known)
        names += (names.empty() ? "" : ", ") + std::string(name);
      return base::Status(base::Code::kInvalid,
                          "push option \"" + option + "\" is unknown; there are " + names);
    }
    *found->second = true;
  }
  return parsed;
}

SyncPlan PlanSync(const state::View& view, const Application& application, const ManifestSet& set,
                  const PushOptions& options, const state::DraftContext& context,
                  const SourceSets& sets) {
  SyncPlan plan;
  if (set.missing) {  // whatever was applied before: there is nothing to compare with
    plan.errors = set.errors;
    return plan;
  }
  plan = SyncPlanner(view, application, set, options, context, sets).Run();
  if (!plan.errors.empty()) {
    const auto& trees = application.applied_trees;
    if (std::find(trees.begin(), trees.end(), set.tree) != trees.end()) {
      const std::vector<SourceError> all = plan.errors;
      ForgiveOldErrors(all, plan);
    } else if (application.applied != nullptr) {
      ForgiveOldErrors(
          SyncPlanner(view, application, *application.applied, options, context, sets).JudgeAll(),
          plan);
    }
  }
  if (application.settings.suspended)
    plan.errors.push_back(SourceError{".", {}, SuspendedText(application)});
  if (!plan.errors.empty()) {
    plan.transaction = state::Transaction();
    plan.complete = false;
  }
  return plan;
}

bool IsPrunedFor(const Application& application, const state::Object& live) {
  return OwnerOf(live) == application.name && application.settings.scope.Covers(live.key) &&
         !KeepsFromPruning(live);
}

void Prepare(const state::View& view, size_t min_writes, SyncPlan& plan) {
  const std::vector<state::Write>& writes = plan.transaction.writes;
  if (writes.size() < min_writes) return;
  plan.prepared = std::make_shared<state::PreparedTransaction>(view, writes);
}

std::string SuspendedText(const Application& application) {
  return "the " + NounOf(application) +
         " is suspended; set spec.suspend of its Kustomization to false to go on";
}

std::string HeldBecause(const Application& application, const ManifestSet& set,
                        const SyncPlan& plan) {
  if (application.placed || application.asked || application.applied_commit != set.commit) {
    return "";
  }
  const auto changes =
      std::count_if(plan.results.begin(), plan.results.end(), [](const ObjectResult& result) {
        return result.action != Action::kUnchanged && result.action != Action::kSkipped;
      });
  if (changes == 0 && plan.errors.empty() && !plan.withheld) return "";
  return "held: sourceRef, path and targetNamespace of the Kustomization act since this version "
         "of plumb, which would change or prune " +
         std::to_string(changes) + (changes == 1 ? " object" : " objects") +
         "; push a commit, or run plumb sync " + application.name + ", to have it done";
}

RepairPlan PlanRepair(const state::View& view, const std::string& application,
                      const ManifestSet& set, const std::set<state::Key>& keys,
                      const state::DraftContext& context) {
  RepairPlan plan;
  const auto state = ReadApplication(view, application);
  if (state.ok() && state->settings.suspended) {
    plan.errors.push_back(SourceError{".", {}, SuspendedText(*state)});
    return plan;
  }
  std::vector<const Manifest*> ordered;
  for (const state::Key& key : keys) {
    if (const Manifest* manifest = set.Find(key)) ordered.push_back(manifest);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Manifest* a, const Manifest* b) {
    return manifests::RankOf(a->key.resource) < manifests::RankOf(b->key.resource);
  });
  state::Draft draft(view, ByGit(context));
  draft.JudgeAtEnd();
  std::vector<SourceError> warnings;
  for (const Manifest* manifest : ordered) {
    const Outcome outcome = ApplyManifest(draft, *manifest, application, plan.errors, warnings);
    if (outcome == Outcome::kCreated || outcome == Outcome::kConfigured) {
      plan.repaired.push_back(manifest->key);
    }
  }
  for (const state::Draft::Refusal& refusal : draft.Settle()) {
    std::erase(plan.repaired, refusal.key);
    if (const Manifest* manifest = set.Find(refusal.key))
      AddErrors(*manifest, refusal.why, plan.errors);
  }
  plan.transaction = draft.Finish();
  return plan;
}

}  // namespace gitsync
