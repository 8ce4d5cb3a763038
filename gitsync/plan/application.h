// An Application as the state records it: Flux's Kustomization in plumb-system, which says what of
// a Source (repository.h) is deployed and how, and plumb's Inventory of its name. The
// Kustomization's status says what was applied; the inventory stands apart, so that a status is
// small whatever an application holds, and a push that changes objects without adding or removing
// any does not write it.
//
// Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/time.h"
#include "gitsync/plan/history.h"
#include "gitsync/render/manifest_set.h"
#include "state/draft.h"
#include "state/view.h"

namespace gitsync {

// Flux's labels of ownership: on every object that an application deploys.
inline constexpr std::string_view kOwnerLabel = "kustomize.toolkit.fluxcd.io/name";
inline constexpr std::string_view kOwnerNamespaceLabel = "kustomize.toolkit.fluxcd.io/namespace";
// On the Kustomization: what ApplicationScope says, the namespaces separated by commas.
inline constexpr std::string_view kNamespacesAnnotation = "plumb.dev/namespaces";
inline constexpr std::string_view kDefaultNamespaceAnnotation = "plumb.dev/default-namespace";

// Flux's, on the Kustomization: a value that was not there before asks for it to be applied now.
inline constexpr std::string_view kRequestedAnnotation = "reconcile.fluxcd.io/requestedAt";

inline constexpr std::string_view kKustomizations = "kustomizations.kustomize.toolkit.fluxcd.io";
inline constexpr std::string_view kInventories = "inventories.plumb.dev";

// What the Kustomization's spec asks for.
struct ApplicationSettings {
  std::string source;               // sourceRef.name
  std::string branch = "main";      // of the source
  std::optional<std::string> path;  // "apps/web/", "" for the root; absent: see discover.h
  bool prune = true;
  bool suspended = false;                 // nothing is applied
  bool wait = true;                       // for the health of what was applied
  std::optional<base::Duration> timeout;  // of that wait
  std::vector<std::string> depends_on;    // applications that are to be ready before
  ApplicationScope scope;
};

// The objects that an application deploys, as its Inventory object lists them.
struct Inventory {
  state::ObjectPtr object;  // what it was read from; null if there is none yet
  std::shared_ptr<const std::set<state::Key>> keys = std::make_shared<std::set<state::Key>>();
};

struct Application {
  std::string name;
  ApplicationSettings settings;
  std::string applied_commit;  // empty before the first
  bool placed = true;          // false: by a plumb that did not heed source, path and namespace
  bool asked = false;          // somebody asked for it to be applied now, and it was not yet
  // Those of the history, the newest first: a push may go back to them whatever happens.
  std::vector<std::string> applied_trees;
  Inventory inventory;  // for ReadInventory to fill in
  // What the process remembers; absent after a restart, at the cost of time only.
  std::shared_ptr<const ManifestSet> applied;          // of applied_commit
  std::shared_ptr<const std::set<state::Key>> unsure;  // of `applied`: objects that may differ

  bool HasApplied(const std::string& tree) const;
};

state::Key KustomizationKey(std::string_view application);
state::Key InventoryKey(std::string_view application);
// kNotFound, and how to find the names.
base::Status NoRepository(std::string_view name);
// The Source that a Kustomization names.
// Empty if it is of a kind that plumb does not read.
std::string SourceOf(const state::Object& kustomization);
std::string_view RequestedAt(const state::Object& kustomization);  // empty if never
// Why nothing more is done for a Kustomization as it is now: a sentence, or empty.
std::string StoppedBecause(base::Value kustomization);
ApplicationScope ScopeOf(const state::Object& kustomization);
// "repository site" for the application of a repository's own name, else "application back".
std::string Called(const state::View& view, std::string_view application);

// kNotFound if the state has no such application or no such source; kInvalid if it asks for what
// cannot be done: the message is a sentence about its spec.
base::Result<ApplicationSettings> ReadSettings(const state::View& view, const std::string& name);
// The same, with what its status says.
base::Result<Application> ReadApplication(const state::View& view, const std::string& name);
// Whether the history of an application has the tree.
bool HasApplied(const state::View& view, std::string_view application, std::string_view tree);
// `known`, an earlier answer, is given back if it is still right.
Inventory ReadInventory(const state::View& view, const manifests::Schema& schema,
                        const std::string& name, const Inventory& known = {});
std::vector<std::string> ApplicationNames(const state::View& view);  // sorted
// Those whose source is `source`, sorted.
std::vector<std::string> ApplicationsOf(const state::View& view, std::string_view source);

// The inventory of the application in the draft.
base::Status RecordInventory(state::Draft& draft, const std::string& application,
                             const std::set<state::Key>& keys);

// In the status of the Kustomization in the draft, that `set` is applied now.
base::Status RecordApplied(state::Draft& draft, const Application& application,
                           const ManifestSet& set);

// Takes `keys` out of the inventory of the application `owner`.
base::Status Disown(state::Draft& draft, const std::string& owner,
                    const std::set<state::Key>& keys);

// The history of the Kustomization with `deploy` in it. What is no news writes nothing.
base::Status RecordDeploy(state::Draft& draft, std::string_view application, const Deploy& deploy);

// The condition Ready of the Kustomization. An unchanged one writes nothing. It takes back
// RecordStalled, as a deploy that begins does.
base::Status RecordReady(state::Draft& draft, std::string_view application, std::string_view value,
                         std::string_view reason, std::string_view message);
// That nothing is done for it until somebody changes something: Ready is false, Flux's condition
// Stalled is true, and a deploy that was under way has failed.
base::Status RecordStalled(state::Draft& draft, std::string_view application,
                           std::string_view message);
// That nothing stands in its way, though nothing is applied: it takes back RecordStalled, and a
// Ready that says why it could not be applied.
base::Status RecordUnhindered(state::Draft& draft, std::string_view application);
// That what was asked for (a value of kRequestedAnnotation, or empty) has been done, however it
// ended.
base::Status RecordHandled(state::Draft& draft, std::string_view application,
                           std::string_view requested);

}  // namespace gitsync
