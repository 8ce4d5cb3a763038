// A repository as the state records it: Flux's GitRepository and Kustomization of its name in
// plumb-system. The Kustomization's status holds what was applied: revision, inventory, history.
//
// Pure.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gitsync/manifest_set.h"
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
inline constexpr std::string_view kGitRepositories = "gitrepositories.source.toolkit.fluxcd.io";
inline constexpr size_t kMaxHistory =
    50;  // applied trees that a push may go back to whatever happens

struct RepositorySettings {
  std::string branch = "main";
  bool prune = true;       // spec.prune of the Kustomization
  bool suspended = false;  // its spec.suspend: nothing is applied
  RepositoryScope scope;
};

// Pairs of a manifest and the object that was seen to be as it asks: a plan that meets the same two
// again need not look.
struct KnownApplied {
  std::shared_ptr<const base::Json> manifest;
  state::ObjectPtr object;
};
using AppliedMemo = std::map<state::Key, KnownApplied>;

struct RepositoryState {
  std::string name;
  RepositorySettings settings;
  std::set<state::Key> inventory;
  std::string applied_commit;              // empty before the first
  std::vector<std::string> applied_trees;  // the newest first
  // What the process remembers; absent after a restart, at the cost of time only.
  std::shared_ptr<const ManifestSet> applied;  // of applied_commit
  std::shared_ptr<const AppliedMemo> memo;
};

state::Key KustomizationKey(std::string_view repository);

// kNotFound if the state has no such repository.
base::Result<RepositoryState> ReadRepository(const state::View& view,
                                             const manifests::Schema& schema,
                                             const std::string& name);
std::vector<std::string> RepositoryNames(const state::View& view);  // sorted

// Creates plumb-system if it is missing, and the two objects. kAlreadyExists.
base::Status CreateRepository(state::Draft& draft, const std::string& name,
                              const RepositorySettings& settings, const std::string& url);

// "main@sha1:0123..."
std::string RevisionText(std::string_view branch, std::string_view commit);

// The status of the Kustomization in the draft: the inventory; with a `set`, also that it is
// applied now.
base::Status RecordInventory(state::Draft& draft, const RepositoryState& repository,
                             const std::set<state::Key>& inventory, const ManifestSet* applied);

// Takes `keys` out of the inventory of the repository `owner`.
base::Status Disown(state::Draft& draft, const std::string& owner,
                    const std::set<state::Key>& keys);

// A condition of the Kustomization. Unchanged ones write nothing.
base::Status RecordCondition(state::Draft& draft, std::string_view repository,
                             std::string_view type, std::string_view value, std::string_view reason,
                             std::string_view message);

}  // namespace gitsync
