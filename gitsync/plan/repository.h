// A repository as the state records it: Flux's GitRepository and Kustomization of its name in
// plumb-system, and plumb's Inventory. The Kustomization's status says what was applied; the
// inventory stands apart, so that a status is small whatever a repository holds, and a push that
// changes objects without adding or removing any does not write it.
//
// Pure.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gitsync/plan/history.h"
#include "gitsync/render/manifest_set.h"
#include "state/draft.h"
#include "state/view.h"

namespace gitsync {

// Flux's labels of ownership: on every object that a repository deploys.
inline constexpr std::string_view kOwnerLabel = "kustomize.toolkit.fluxcd.io/name";
inline constexpr std::string_view kOwnerNamespaceLabel = "kustomize.toolkit.fluxcd.io/namespace";
// On the Kustomization: what RepositoryScope says, the namespaces separated by commas.
inline constexpr std::string_view kNamespacesAnnotation = "plumb.dev/namespaces";
inline constexpr std::string_view kDefaultNamespaceAnnotation = "plumb.dev/default-namespace";

inline constexpr std::string_view kKustomizations = "kustomizations.kustomize.toolkit.fluxcd.io";
inline constexpr std::string_view kInventories = "inventories.plumb.dev";
inline constexpr std::string_view kGitRepositories = "gitrepositories.source.toolkit.fluxcd.io";

struct RepositorySettings {
  std::string branch = "main";
  bool prune = true;       // spec.prune of the Kustomization
  bool suspended = false;  // its spec.suspend: nothing is applied
  RepositoryScope scope;
};

// The objects that a repository deploys, as its Inventory object lists them.
struct Inventory {
  state::ObjectPtr object;  // what it was read from; null if there is none yet
  std::shared_ptr<const std::set<state::Key>> keys = std::make_shared<std::set<state::Key>>();
};

struct RepositoryState {
  std::string name;
  RepositorySettings settings;
  std::string applied_commit;  // empty before the first
  // Those of the history, the newest first: a push may go back to them whatever happens.
  std::vector<std::string> applied_trees;
  Inventory inventory;  // for ReadInventory to fill in
  // What the process remembers; absent after a restart, at the cost of time only.
  std::shared_ptr<const ManifestSet> applied;          // of applied_commit
  std::shared_ptr<const std::set<state::Key>> unsure;  // of `applied`: objects that may differ
};

state::Key KustomizationKey(std::string_view repository);
// kNotFound, and how to find the names.
base::Status NoRepository(std::string_view name);
RepositoryScope ScopeOf(const state::Object& kustomization);
// The deploy branch; empty if there is no such repository.
std::string BranchOf(const state::View& view, std::string_view repository);

// kNotFound if the state has no such repository.
base::Result<RepositoryState> ReadRepository(const state::View& view, const std::string& name);
// `known`, an earlier answer, is given back if it is still right.
Inventory ReadInventory(const state::View& view, const manifests::Schema& schema,
                        const std::string& name, const Inventory& known = {});
std::vector<std::string> RepositoryNames(const state::View& view);  // sorted

// Creates plumb-system if it is missing, and the two objects. kAlreadyExists.
base::Status CreateRepository(state::Draft& draft, const std::string& name,
                              const RepositorySettings& settings, const std::string& url);

// "main@sha1:0123..."
std::string RevisionText(std::string_view branch, std::string_view commit);

// The inventory of the repository in the draft.
base::Status RecordInventory(state::Draft& draft, const std::string& repository,
                             const std::set<state::Key>& keys);

// In the status of the Kustomization in the draft, that `set` is applied now.
base::Status RecordApplied(state::Draft& draft, const RepositoryState& repository,
                           const ManifestSet& set);

// Takes `keys` out of the inventory of the repository `owner`.
base::Status Disown(state::Draft& draft, const std::string& owner,
                    const std::set<state::Key>& keys);

// The history of the Kustomization with `deploy` in it. What is no news writes nothing.
base::Status RecordDeploy(state::Draft& draft, std::string_view repository,
                          const DeployRecord& deploy);

// A condition of the Kustomization. Unchanged ones write nothing.
base::Status RecordCondition(state::Draft& draft, std::string_view repository,
                             std::string_view type, std::string_view value, std::string_view reason,
                             std::string_view message);

}  // namespace gitsync
