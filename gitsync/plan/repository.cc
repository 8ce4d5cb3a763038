// The entries of the inventory have Flux's form: {id: NAMESPACE_NAME_GROUP_KIND, v: VERSION}. Names
// of objects may hold '_' (they do in RBAC), the other parts cannot, so an id is taken apart from
// both ends.
#include "gitsync/plan/repository.h"

#include <algorithm>
#include <optional>

#include "manifests/kinds/conditions.h"

namespace gitsync {
namespace {

using base::Json;

std::string InventoryId(const manifests::Kind& kind, const state::Key& key) {
  return key.ns + "_" + key.name + "_" + kind.group + "_" + kind.kind;
}

template <typename V>
std::optional<state::Key> KeyOfEntry(const manifests::Schema& schema, const V& entry) {
  const std::string_view id = entry["id"].AsString();
  const size_t first = id.find('_'), last = id.rfind('_');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  const size_t middle = id.rfind('_', last - 1);
  if (middle == std::string_view::npos || middle <= first) return std::nullopt;
  const std::string group(id.substr(middle + 1, last - middle - 1));
  const std::string version(entry["v"].AsString());
  const manifests::Kind* kind =
      schema.FindKind(group.empty() ? version : group + "/" + version, id.substr(last + 1));
  if (kind == nullptr) return std::nullopt;
  return state::Key{kind->Resource(), std::string(id.substr(0, first)),
                    std::string(id.substr(first + 1, middle - first - 1))};
}

std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (end > 0) names.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

Json EntriesOf(const manifests::Schema& schema, const std::set<state::Key>& keys) {
  Json entries = Json::MakeArray();
  for (const state::Key& key : keys) {
    const manifests::Kind* kind = schema.FindByResource(key.resource);
    if (kind == nullptr) continue;
    entries.Append(Json::MakeObject({{"id", InventoryId(*kind, key)}, {"v", kind->version}}));
  }
  return entries;
}

}  // namespace

base::Status NoRepository(std::string_view name) {
  return base::Status(base::Code::kNotFound, "there is no repository \"" + std::string(name) +
                                                 "\"; plumb repo list names those there are");
}

state::Key KustomizationKey(std::string_view repository) {
  return state::Key{std::string(kKustomizations), std::string(kSystemNamespace),
                    std::string(repository)};
}

RepositoryScope ScopeOf(const state::Object& kustomization) {
  const base::Value annotations = kustomization.Meta("annotations");
  RepositoryScope scope;
  scope.namespaces = SplitNames(annotations[kNamespacesAnnotation].AsString());
  scope.default_namespace = annotations[kDefaultNamespaceAnnotation].AsString(
      scope.namespaces.empty() ? "default" : scope.namespaces.front());
  return scope;
}

std::string BranchOf(const state::View& view, std::string_view repository) {
  const state::ObjectPtr source = view.Get(kGitRepositories, kSystemNamespace, repository);
  return source == nullptr ? "" : std::string((*source)["spec"]["ref"]["branch"].AsString("main"));
}

std::string RevisionText(std::string_view branch, std::string_view commit) {
  return std::string(branch) + "@sha1:" + std::string(commit);
}

base::Result<RepositoryState> ReadRepository(const state::View& view, const std::string& name) {
  const state::ObjectPtr object = view.Get(KustomizationKey(name));
  const state::ObjectPtr source = view.Get(kGitRepositories, kSystemNamespace, name);
  if (object == nullptr || source == nullptr) return NoRepository(name);
  RepositoryState state;
  state.name = name;
  state.settings.branch = BranchOf(view, name);
  state.settings.prune = (*object)["spec"]["prune"].AsBool(true);
  state.settings.suspended = (*object)["spec"]["suspend"].AsBool();
  state.settings.scope = ScopeOf(*object);
  state.settings.prune = (*object)["spec"]["prune"].AsBool(true);
  state.settings.suspended = (*object)["spec"]["suspend"].AsBool();
  const base::Value status = (*object)["status"];
  const std::string_view revision = status["lastAppliedRevision"].AsString();
  state.applied_commit = revision.substr(std::min(revision.rfind(':') + 1, revision.size()));
  for (const DeployRecord& deploy : HistoryOf(status)) {
    if (!deploy.tree.empty()) state.applied_trees.push_back(deploy.tree);
  }
  return state;
}

Inventory ReadInventory(const state::View& view, const manifests::Schema& schema,
                        const std::string& name, const Inventory& known) {
  const state::ObjectPtr object = view.Get(kInventories, kSystemNamespace, name);
  if (object == known.object) return known;
  auto keys = std::make_shared<std::set<state::Key>>();
  if (object != nullptr) {
    for (const base::Value entry : (*object)["entries"].Elements()) {
      if (std::optional<state::Key> key = KeyOfEntry(schema, entry)) {
        keys->insert(keys->end(), *std::move(key));
      }
    }
  }
  return Inventory{object, std::move(keys)};
}

std::vector<std::string> RepositoryNames(const state::View& view) {
  std::vector<std::string> names;
  for (const state::ObjectPtr& object : view.List(kKustomizations, kSystemNamespace)) {
    names.push_back(object->key.name);
  }
  return names;
}

base::Status CreateRepository(state::Draft& draft, const std::string& name,
                              const RepositorySettings& settings, const std::string& url) {
  if (draft.view().Get("namespaces", "", kSystemNamespace) == nullptr) {
    RETURN_IF_ERROR(draft
                        .Create(Json::MakeObject(
                            {{"apiVersion", "v1"},
                             {"kind", "Namespace"},
                             {"metadata", Json::MakeObject({{"name", kSystemNamespace}})}}))
                        .status());
  }
  const Json metadata = Json::MakeObject({{"name", name}, {"namespace", kSystemNamespace}});
  RETURN_IF_ERROR(
      draft
          .Create(Json::MakeObject(
              {{"apiVersion", "source.toolkit.fluxcd.io/v1"},
               {"kind", "GitRepository"},
               {"metadata", metadata},
               {"spec",
                Json::MakeObject({{"url", url},
                                  {"interval", "10m"},
                                  {"ref", Json::MakeObject({{"branch", settings.branch}})}})}}))
          .status());
  Json kustomization = Json::MakeObject(
      {{"apiVersion", "kustomize.toolkit.fluxcd.io/v1"},
       {"kind", "Kustomization"},
       {"metadata", metadata},
       {"spec", Json::MakeObject({{"interval", "10m"},
                                  {"prune", true},
                                  {"sourceRef", Json::MakeObject({{"kind", "GitRepository"},
                                                                  {"name", name}})}})}});
  Json& annotations = kustomization["metadata"]["annotations"];
  annotations.Set(kDefaultNamespaceAnnotation, settings.scope.default_namespace);
  std::string namespaces;
  for (const std::string& ns : settings.scope.namespaces) {
    namespaces += (namespaces.empty() ? "" : ",") + ns;
  }
  if (!namespaces.empty()) annotations.Set(kNamespacesAnnotation, namespaces);
  return draft.Create(std::move(kustomization)).status();
}

base::Status RecordInventory(state::Draft& draft, const std::string& repository,
                             const std::set<state::Key>& keys) {
  Json inventory = Json::MakeObject(
      {{"apiVersion", "plumb.dev/v1"},
       {"kind", "Inventory"},
       {"metadata", Json::MakeObject({{"name", repository}, {"namespace", kSystemNamespace}})},
       {"count", static_cast<int64_t>(keys.size())},
       {"entries", EntriesOf(draft.schema(), keys)}});
  if (draft.view().Get(kInventories, kSystemNamespace, repository) == nullptr) {
    return draft.Create(std::move(inventory)).status();
  }
  return draft.Update(std::move(inventory)).status();
}

base::Status RecordApplied(state::Draft& draft, const RepositoryState& repository,
                           const ManifestSet& set) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(repository.name));
  if (object == nullptr) return NoRepository(repository.name);
  Json status = (*object)["status"].ToJson();
  const std::string revision = RevisionText(repository.settings.branch, set.commit);
  status.Set("observedGeneration", object->Generation());
  status.Set("lastAttemptedRevision", revision);
  if (std::as_const(status)["lastAppliedRevision"].AsString() != revision) {
    status.Set("history",
               WithDeploy(std::as_const(status)["history"],
                          {.revision = revision, .tree = set.tree}, draft.context().now));
  }
  status.Set("lastAppliedRevision", revision);
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status Disown(state::Draft& draft, const std::string& owner,
                    const std::set<state::Key>& keys) {
  const Inventory inventory = ReadInventory(draft.view(), draft.schema(), owner);
  if (inventory.object == nullptr) return base::Status();
  std::set<state::Key> left = *inventory.keys;
  for (const state::Key& key : keys) left.erase(key);
  return RecordInventory(draft, owner, left);
}

base::Status RecordDeploy(state::Draft& draft, std::string_view repository,
                          const DeployRecord& deploy) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(repository));
  if (object == nullptr) return NoRepository(repository);
  Json status = (*object)["status"].ToJson();
  status.Set("history", WithDeploy(std::as_const(status)["history"], deploy, draft.context().now));
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status RecordCondition(state::Draft& draft, std::string_view repository,
                             std::string_view type, std::string_view value, std::string_view reason,
                             std::string_view message) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(repository));
  if (object == nullptr) return NoRepository(repository);
  Json status = (*object)["status"].ToJson();
  manifests::SetCondition(status, type, value, reason, message, draft.context().now)
      .Set("observedGeneration", object->Generation());
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

}  // namespace gitsync
