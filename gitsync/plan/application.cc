// The entries of the inventory have Flux's form: {id: NAMESPACE_NAME_GROUP_KIND, v: VERSION}. Names
// of objects may hold '_' (they do in RBAC), the other parts cannot, so an id is taken apart from
// both ends.
#include "gitsync/plan/application.h"

#include <algorithm>
#include <optional>

#include "gitsync/plan/repository.h"
#include "manifests/kinds/conditions.h"

namespace gitsync {
namespace {

using base::Json;

// Earlier plumbs said here how the last deploy ended, which the history says.
constexpr std::string_view kSettled = "Settled";
constexpr std::string_view kStalled = "Stalled";
constexpr std::string_view kFailedReason = "ReconciliationFailed";
constexpr std::string_view kSourceKind = "GitRepository";

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

std::vector<std::string> SplitNames(std::string_view text, char separator = ',') {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
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

base::Status Unfit(const std::string& field, const std::string& why) {
  return base::Status(base::Code::kInvalid, "spec." + field + " of the Kustomization: " + why);
}

// Flux's spec.path, relative to the root of the repository: "./apps/web" is "apps/web/".
base::Result<std::string> PathOf(std::string_view text) {
  std::string path;
  for (const std::string& step : SplitNames(text, '/')) {
    if (step == ".") continue;
    if (step == "..") {
      return Unfit("path", "\"" + std::string(text) +
                               "\" may lead out of the repository; write it without \"..\", "
                               "from the root of the repository");
    }
    path += step + "/";
  }
  return path;
}

base::Result<ApplicationSettings> SettingsOf(const state::Object& kustomization) {
  const base::Value spec = kustomization["spec"];
  ApplicationSettings settings;
  settings.source = SourceOf(kustomization);
  const base::Value source = spec["sourceRef"];
  const std::string_view kind = source["kind"].AsString();
  if (kind != kSourceKind) {
    return Unfit("sourceRef",
                 std::string(kind) + " is no source yet that plumb reads; name a GitRepository");
  }
  if (source["namespace"].AsString(kSystemNamespace) != kSystemNamespace) {
    return Unfit("sourceRef", "the sources are in namespace " + std::string(kSystemNamespace) +
                                  "; leave the namespace out");
  }
  const std::string_view path = spec["path"].AsString();
  if (!path.empty()) {
    ASSIGN_OR_RETURN(settings.path, PathOf(path));
  }
  settings.prune = spec["prune"].AsBool(true);
  settings.suspended = spec["suspend"].AsBool();
  settings.wait = spec["wait"].AsBool(true);
  const auto timeout = base::Duration::Parse(spec["timeout"].AsString());
  if (timeout.ok() && *timeout > base::Duration()) settings.timeout = *timeout;
  for (const base::Value dependency : spec["dependsOn"].Elements()) {
    if (dependency["namespace"].AsString(kSystemNamespace) != kSystemNamespace) {
      return Unfit("dependsOn", "the applications are in namespace " +
                                    std::string(kSystemNamespace) + "; leave the namespace out");
    }
    settings.depends_on.emplace_back(dependency["name"].AsString());
  }
  settings.scope = ScopeOf(kustomization);
  return settings;
}

void SetObserved(Json& status, const state::Object& kustomization, std::string_view type,
                 std::string_view value, std::string_view reason, std::string_view message,
                 base::WallTime now) {
  manifests::SetCondition(status, type, value, reason, message, now)
      .Set("observedGeneration", kustomization.Generation());
}

// Where the application is deployed from and to: "site", "site ./apps/web to shop".
std::string PlacementOf(const ApplicationSettings& settings) {
  const std::string& ns = settings.scope.target_namespace;
  return settings.source + (settings.path ? " ./" + *settings.path : "") +
         (ns.empty() ? "" : " to " + ns);
}

// As an earlier plumb placed it, whatever the Kustomization said.
bool IsPlainlyPlaced(const Application& application) {
  return PlacementOf(application.settings) == application.name;
}

// In the entry of the deploy that is applied again: one that an earlier plumb placed, and that is
// where it put it, says nothing.
void NotePlacement(Json& status, const Deploy& deploy, bool plain) {
  if (!std::as_const(status)["history"].IsArray()) return;
  for (Json& entry : status["history"].MutableElements()) {
    const Json& metadata = std::as_const(entry)["metadata"];
    const std::string_view noted = metadata["placement"].AsString();
    if (metadata["revision"].AsString() != deploy.revision || noted == deploy.placement) continue;
    if (!noted.empty() || !plain) entry["metadata"].Set("placement", deploy.placement);
  }
}

}  // namespace

base::Status NoRepository(std::string_view name) {
  return base::Status(base::Code::kNotFound, "there is no repository \"" + std::string(name) +
                                                 "\"; plumb repo list names those there are");
}

state::Key KustomizationKey(std::string_view application) {
  return state::Key{std::string(kKustomizations), std::string(kSystemNamespace),
                    std::string(application)};
}

state::Key InventoryKey(std::string_view application) {
  return state::Key{std::string(kInventories), std::string(kSystemNamespace),
                    std::string(application)};
}

bool Application::HasApplied(const std::string& tree) const {
  return std::find(applied_trees.begin(), applied_trees.end(), tree) != applied_trees.end();
}

std::string SourceOf(const state::Object& kustomization) {
  const base::Value source = kustomization["spec"]["sourceRef"];
  if (source["kind"].AsString(kSourceKind) != kSourceKind) return "";
  return std::string(source["name"].AsString());
}

std::string_view RequestedAt(const state::Object& kustomization) {
  return kustomization.Meta("annotations")[kRequestedAnnotation].AsString();
}

std::string StoppedBecause(base::Value kustomization) {
  if (kustomization["spec"]["suspend"].AsBool()) {
    return "it is suspended; set spec.suspend of its Kustomization to false to go on";
  }
  const base::Value stalled = manifests::ConditionOf(kustomization["status"], kStalled);
  const bool current =
      stalled["observedGeneration"].AsInt() == kustomization["metadata"]["generation"].AsInt();
  if (stalled["status"].AsString() != "True" || !current) return "";
  return std::string(stalled["message"].AsString());
}

ApplicationScope ScopeOf(const state::Object& kustomization) {
  const base::Value annotations = kustomization.Meta("annotations");
  ApplicationScope scope;
  scope.namespaces = SplitNames(annotations[kNamespacesAnnotation].AsString());
  scope.default_namespace = annotations[kDefaultNamespaceAnnotation].AsString(
      scope.namespaces.empty() ? "default" : scope.namespaces.front());
  scope.target_namespace = kustomization["spec"]["targetNamespace"].AsString();
  return scope;
}

std::string Called(const state::View& view, std::string_view application) {
  const state::ObjectPtr object = view.Get(KustomizationKey(application));
  const bool own = object == nullptr || SourceOf(*object) == application;
  return (own ? "repository " : "application ") + std::string(application);
}

base::Result<ApplicationSettings> ReadSettings(const state::View& view, const std::string& name) {
  const state::ObjectPtr object = view.Get(KustomizationKey(name));
  if (object == nullptr) return NoRepository(name);
  ASSIGN_OR_RETURN(ApplicationSettings settings, SettingsOf(*object));
  if (view.Get(GitRepositoryKey(settings.source)) == nullptr) return NoRepository(settings.source);
  settings.branch = BranchOf(view, settings.source);
  return settings;
}

base::Result<Application> ReadApplication(const state::View& view, const std::string& name) {
  Application application;
  application.name = name;
  ASSIGN_OR_RETURN(application.settings, ReadSettings(view, name));
  const state::ObjectPtr object = view.Get(KustomizationKey(name));
  const base::Value status = (*object)["status"];
  const std::string_view revision = status["lastAppliedRevision"].AsString();
  application.applied_commit = revision.substr(std::min(revision.rfind(':') + 1, revision.size()));
  application.placed = application.applied_commit.empty() || IsPlainlyPlaced(application);
  for (const Deploy& deploy : HistoryOf(status)) {
    if (!deploy.tree.empty()) application.applied_trees.push_back(deploy.tree);
    application.placed |= deploy.revision == revision && !deploy.placement.empty();
  }
  const std::string_view requested = RequestedAt(*object);
  application.asked =
      !requested.empty() && requested != status["lastHandledReconcileAt"].AsString();
  return application;
}

bool HasApplied(const state::View& view, std::string_view application, std::string_view tree) {
  const state::ObjectPtr object = view.Get(KustomizationKey(application));
  if (object == nullptr) return false;
  for (const base::Value entry : (*object)["status"]["history"].Elements()) {
    if (entry["digest"].AsString() == tree) return true;
  }
  return false;
}

std::vector<std::string> ApplicationNames(const state::View& view) {
  std::vector<std::string> names;
  for (const state::ObjectPtr& object : view.List(kKustomizations, kSystemNamespace)) {
    names.push_back(object->key.name);
  }
  return names;
}

std::vector<std::string> ApplicationsOf(const state::View& view, std::string_view source) {
  std::vector<std::string> names;
  for (const state::ObjectPtr& object : view.List(kKustomizations, kSystemNamespace)) {
    if (SourceOf(*object) == source) names.push_back(object->key.name);
  }
  return names;
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

base::Status RecordInventory(state::Draft& draft, const std::string& application,
                             const std::set<state::Key>& keys) {
  Json inventory = Json::MakeObject(
      {{"apiVersion", "plumb.dev/v1"},
       {"kind", "Inventory"},
       {"metadata", Json::MakeObject({{"name", application}, {"namespace", kSystemNamespace}})},
       {"count", static_cast<int64_t>(keys.size())},
       {"entries", EntriesOf(draft.schema(), keys)}});
  if (draft.view().Get(kInventories, kSystemNamespace, application) == nullptr) {
    return draft.Create(std::move(inventory)).status();
  }
  return draft.Update(std::move(inventory)).status();
}

base::Status RecordApplied(state::Draft& draft, const Application& application,
                           const ManifestSet& set) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application.name));
  if (object == nullptr) return NoRepository(application.name);
  Json status = (*object)["status"].ToJson();
  const std::string revision = RevisionText(application.settings.branch, set.commit);
  status.Set("observedGeneration", object->Generation());
  status.Set("lastAttemptedRevision", revision);
  const Deploy deploy{
      .revision = revision, .tree = set.tree, .placement = PlacementOf(application.settings)};
  if (std::as_const(status)["lastAppliedRevision"].AsString() != revision) {
    status.Set("history",
               WithDeploy(std::as_const(status)["history"], deploy, draft.context().now));
  } else {
    NotePlacement(status, deploy, IsPlainlyPlaced(application));
  }
  status.Set("lastAppliedRevision", revision);
  manifests::RemoveCondition(status, kStalled);
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

base::Status RecordDeploy(state::Draft& draft, std::string_view application, const Deploy& deploy) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application));
  if (object == nullptr) return NoRepository(application);
  Json status = (*object)["status"].ToJson();
  Json history = WithDeploy(std::as_const(status)["history"], deploy, draft.context().now);
  if (history == std::as_const(status)["history"]) return base::Status();
  status.Set("history", std::move(history));
  manifests::RemoveCondition(status, kSettled);
  manifests::RemoveCondition(status, kStalled);
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status RecordReady(state::Draft& draft, std::string_view application, std::string_view value,
                         std::string_view reason, std::string_view message) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application));
  if (object == nullptr) return NoRepository(application);
  Json status = (*object)["status"].ToJson();
  SetObserved(status, *object, "Ready", value, reason, message, draft.context().now);
  manifests::RemoveCondition(status, kStalled);
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status RecordStalled(state::Draft& draft, std::string_view application,
                           std::string_view message) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application));
  if (object == nullptr) return NoRepository(application);
  const base::WallTime now = draft.context().now;
  Json status = (*object)["status"].ToJson();
  for (Deploy& deploy : HistoryOf((*object)["status"])) {
    if (deploy.ended()) continue;
    deploy.phase = DeployPhase::kFailed;
    deploy.message = "not applied: " + std::string(message);
    status.Set("history", WithDeploy(std::as_const(status)["history"], deploy, now));
  }
  SetObserved(status, *object, "Ready", "False", kFailedReason, message, now);
  SetObserved(status, *object, kStalled, "True", kFailedReason, message, now);
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status RecordUnhindered(state::Draft& draft, std::string_view application) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application));
  if (object == nullptr) return NoRepository(application);
  const base::Value before = (*object)["status"];
  const bool stalled = manifests::ConditionOf(before, kStalled).Exists();
  const bool failed = manifests::ConditionOf(before, "Ready")["reason"].AsString() == kFailedReason;
  if (!stalled && !failed) return base::Status();
  Json status = before.ToJson();
  manifests::RemoveCondition(status, kStalled);
  if (failed) manifests::RemoveCondition(status, "Ready");
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

base::Status RecordHandled(state::Draft& draft, std::string_view application,
                           std::string_view requested) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(application));
  if (object == nullptr) return NoRepository(application);
  if (requested.empty()) return base::Status();
  Json status = (*object)["status"].ToJson();
  status.Set("lastHandledReconcileAt", requested);
  return draft.UpdateStatus(object->key, std::move(status)).status();
}

}  // namespace gitsync
