// PlanSync: what it takes to make the state as a commit asks. Pure: a View and a ManifestSet in, a
// transaction and a report out.
//
// The same function judges a push before it is accepted and applies it afterwards. Applying is
// level-triggered: plan, commit, and once the wave is healthy plan again, until `complete`.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "gitsync/plan/application.h"
#include "gitsync/plan/basis.h"
#include "gitsync/render/manifest_set.h"
#include "gitsync/render/source_sets.h"
#include "gitsync/source/source_error.h"
#include "state/draft.h"
#include "state/staging.h"

namespace gitsync {

// What a push may ask for: git push -o NAME.
struct PushOptions {
  bool no_wait = false;        // return when the push is accepted
  bool dry_run = false;        // show the plan, accept nothing
  bool allow_missing = false;  // accept references to what does not exist
  bool allow_empty = false;    // accept a commit that would prune everything
  bool take_over = false;      // move objects here that another application deploys
};
// kInvalid names an option that is unknown, and those there are.
base::Result<PushOptions> ParsePushOptions(const std::vector<std::string>& options);

enum class Action { kCreated, kConfigured, kUnchanged, kPruned, kSkipped, kHandedOver };

struct ObjectResult {
  Action action = Action::kUnchanged;
  state::Key key;
  std::string note;  // why it was skipped, where it was handed over to
};

// Why an object that a manifest asks for is not there once all is applied.
struct Absence {
  enum class Cause {
    kAwaited,  // it, or its namespace, is being deleted: it is made anew once that is gone
    kRefused,  // it cannot be made, which the push was forgiven
    kUnasked,  // an annotation asks to leave it alone
  };
  Cause cause = Cause::kAwaited;
  std::string why;
};

struct SyncPlan {
  std::vector<SourceError> errors;    // if there are any, nothing may be applied
  std::vector<SourceError> warnings;  // older errors among them
  std::vector<ObjectResult> results;  // in the order of applying, then of pruning
  size_t untouched = 0;               // manifests that were not looked at, being applied for sure
  state::Transaction transaction;     // of the first wave that changes anything
  size_t results_done = 0;            // of `results`, the first ones: what `transaction` does
  bool complete = false;              // nothing is left to do after `transaction`
  bool withheld = false;        // something was not pruned since another application is unclear
  std::set<state::Key> unsure;  // what is not as asked even when all is applied
  std::map<state::Key, Absence> absent;  // of these, what is not there, or about to go
  state::View after;                     // the state as it would be when all waves are applied
  PlanBasis basis;                       // what all this depends on
  // Of the transaction, once Prepare has found it large; used up by its commit.
  std::shared_ptr<state::PreparedTransaction> prepared = nullptr;
};

// Looks at the manifests that differ from those of `application.applied` and at
// `application.unsure`; at all of them if the process does not know what is applied. `sets` are
// those that the applications of the same source take of the commit, for what moves between them.
SyncPlan PlanSync(const state::View& view, const Application& application, const ManifestSet& set,
                  const PushOptions& options, const state::DraftContext& context,
                  const SourceSets& sets = {});

// Does what the commit of a plan over `view` can have done ahead, on a worker, if the plan has so
// many writes.
void Prepare(const state::View& view, size_t min_writes, SyncPlan& plan);

// Whether an object of the inventory that left the commit is the application's to prune: it is
// inside the scope, carries the owner's mark, and does not ask to be kept.
bool IsPrunedFor(const Application& application, const state::Object& live);

// That spec.suspend keeps it from being applied, and the remedy.
std::string SuspendedText(const Application& application);

// Why a plan is not to be carried out before somebody asks for it, by a push, `plumb sync` or a
// changed Kustomization; empty if it may be. What an earlier plumb did not heed never acts by
// itself on what that plumb applied.
std::string HeldBecause(const Application& application, const ManifestSet& set,
                        const SyncPlan& plan);

// Puts back those of `keys` that are not as their manifests in `set` ask.
struct RepairPlan {
  state::Transaction transaction;
  std::vector<state::Key> repaired;
  std::vector<SourceError> errors;  // what could not be put back; the others are
};
RepairPlan PlanRepair(const state::View& view, const std::string& application,
                      const ManifestSet& set, const std::set<state::Key>& keys,
                      const state::DraftContext& context);

// The report for people before it is done: a line for each object that changes, then one that
// counts.
//   would create     deployments.apps shop/web
std::vector<std::string> PlanLines(const SyncPlan& plan);

// And afterwards: "1 created, 3 unchanged".
using ActionCounts = std::map<Action, size_t>;
ActionCounts CountsOf(const SyncPlan& plan);
std::string DoneText(const ActionCounts& counts);

}  // namespace gitsync
