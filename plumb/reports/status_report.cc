// What is listed as not healthy are the tops of trees: what nothing else controls. Why a Deployment
// is not well is found below it, by the same function that tells a push.
#include "plumb/reports/status_report.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

#include "gitsync/deploy/health.h"
#include "gitsync/plan/history.h"
#include "gitsync/plan/repository.h"
#include "manifests/kinds/conditions.h"
#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/pod.h"
#include "manifests/suggest.h"
#include "state/own_secrets.h"
#include "state/pod_security.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;
using gitsync::Health;

constexpr size_t kMaxWarnings = 3;  // events of one object
constexpr int kMaxDepth = 8;
constexpr std::string_view kRepository = "repository", kApplication = "application";

std::string_view LevelName(Health::Level level) {
  if (level == Health::Level::kFailed) return "failed";
  return level == Health::Level::kProgressing ? "progressing" : "healthy";
}

size_t PodsOn(const state::View& view, std::string_view node) {
  size_t pods = 0;
  for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, node)) {
    pods += !manifests::HasEnded(pod->document.root());
  }
  return pods;
}

Json NodeStatus(const state::View& view, const state::Object& node) {
  const base::Value ready = manifests::ConditionOf(node["status"], "Ready");
  Json report = Json::MakeObject({{"name", node.key.name},
                                  {"ready", ready["status"].AsString() == "True"},
                                  {"since", ready["lastTransitionTime"].AsString()},
                                  {"pods", static_cast<int64_t>(PodsOn(view, node.key.name))}});
  if (ready["status"].AsString() != "True") {
    report.Set("reason", ready["message"].AsString("it has not reported yet"));
  } else if (node["spec"]["unschedulable"].AsBool()) {
    report.Set("reason", "cordoned");
  }
  for (const base::Value address : node["status"]["addresses"].Elements()) {
    if (address["type"].AsString() == "InternalIP") {
      report.Set("address", address["address"].AsString());
    }
  }
  return report;
}

// Of one application.
Json DeployStatus(const state::Object& record, size_t objects) {
  const base::Value status = record["status"];
  const std::vector<gitsync::Deploy> history = gitsync::HistoryOf(status);
  const base::Value ready = manifests::ConditionOf(status, "Ready");
  Json report = Json::MakeObject({{"name", record.key.name},
                                  {"revision", status["lastAppliedRevision"].AsString()},
                                  {"phase", "empty"},
                                  {"objects", static_cast<int64_t>(objects)}});
  const std::string repository = gitsync::SourceOf(record);
  if (repository != record.key.name) report.Set("repository", repository);
  if (!history.empty()) {
    report.Set("phase", gitsync::PhaseName(history.front().phase));
    report.Set("since", history.front().since.ToString());
    report.Set("revision", history.front().revision);
  }
  if (ready.Exists() && ready["status"].AsString() != "True") {
    report.Set("message", ready["message"].AsString());
  }
  // Whatever goes on by the history.
  const std::string stopped = gitsync::StoppedBecause(record.document.root());
  if (stopped.empty()) return report;
  report.Set("message", stopped);
  if (!record["spec"]["suspend"].AsBool()) {
    report.Set("phase", gitsync::PhaseName(gitsync::DeployPhase::kFailed));
    report.Set("since", manifests::ConditionOf(status, "Stalled")["lastTransitionTime"].AsString());
  }
  return report;
}

bool IsListed(const manifests::Kind& kind) {
  const manifests::KindFacts& facts = manifests::FactsOf(kind.Resource());
  return facts.judged && !facts.settled;
}

// A tree of objects, built to a depth and a size.
class Tree {
 public:
  explicit Tree(const state::View& view) : view_(view), schema_(*view.schema()) {}

  Json Of(const state::Object& object, int depth = 0) {
    const Health health = gitsync::HealthOf(object, view_);
    Json report = Json::MakeObject({{"object", object.key.ToString()},
                                    {"level", LevelName(health.level)},
                                    {"reason", health.reason}});
    Json notes = Notes(object);
    if (!notes.empty()) report.Set("notes", std::move(notes));
    if (health.level != Health::Level::kHealthy) AddWarnings(object, report);
    if (depth < kMaxDepth) AddChildren(Children(object), depth, report);
    return report;
  }

  // A repository: what is deployed from it, by application if that is not one of its own name.
  Json OfRepository(const std::string& name) {
    const std::vector<std::string> applications = gitsync::ApplicationsOf(view_, name);
    if (applications == std::vector<std::string>{name}) return OfApplication(name, kRepository);
    Json children = Json::MakeArray();
    std::string_view worst = "healthy";
    size_t healthy = 0;
    for (const std::string& each : applications) {
      Json child = OfApplication(each, kApplication);
      const std::string_view level = std::as_const(child)["level"].AsString();
      healthy += level == "healthy";
      if (level == "failed") worst = "failed";
      if (level == "progressing" && worst == "healthy") worst = "progressing";
      children.Append(std::move(child));
    }
    return Json::MakeObject(
        {{"object", std::string(kRepository) + " " + name},
         {"level", worst},
         {"reason", std::to_string(healthy) + "/" + std::to_string(applications.size()) +
                        " applications are healthy"},
         {"children", std::move(children)}});
  }

  // An application: its record, and below it what it deployed.
  Json OfApplication(const std::string& name, std::string_view noun) {
    const state::ObjectPtr record = view_.Get(gitsync::KustomizationKey(name));
    const gitsync::Inventory inventory = gitsync::ReadInventory(view_, schema_, name);
    const Json status = DeployStatus(*record, inventory.keys->size());
    const std::string_view phase = status["phase"].AsString();
    Json report = Json::MakeObject(
        {{"object", std::string(noun) + " " + name},
         {"level", phase == "failed" || phase == "progressing" ? phase : "healthy"},
         {"reason", status.Has("message") ? status["message"].AsString() : phase}});
    report.Set("notes", Json::MakeArray({status["revision"]}));
    std::vector<state::ObjectPtr> children;
    for (const state::Key& key : *inventory.keys) {
      if (state::ObjectPtr object = view_.Get(key)) children.push_back(std::move(object));
    }
    AddChildren(children, 0, report);
    return report;
  }

 private:
  std::vector<state::ObjectPtr> Children(const state::Object& object) const {
    std::vector<state::ObjectPtr> children;
    if (object.key.resource == "nodes") {
      for (const state::ObjectPtr& pod : view_.Lookup(state::Index::kNode, object.key.name)) {
        children.push_back(pod);
      }
      return children;
    }
    for (const state::ObjectPtr& owned : view_.Lookup(state::Index::kOwner, object.Uid())) {
      const manifests::KindFacts& facts = manifests::FactsOf(owned->key.resource);
      if (facts.hidden == nullptr || !facts.hidden(owned->document.root())) {
        children.push_back(owned);
      }
    }
    return children;
  }

  void AddChildren(const std::vector<state::ObjectPtr>& children, int depth, Json& report) {
    Json list = Json::MakeArray();
    for (const state::ObjectPtr& child : children) {
      if (objects_ >= kMaxStatusObjects) break;
      ++objects_;
      list.Append(Of(*child, depth + 1));
    }
    const size_t left = children.size() - list.size();
    if (left > 0) report.Set("more", static_cast<int64_t>(left));
    if (!list.empty()) report.Set("children", std::move(list));
  }

  Json Notes(const state::Object& object) const {
    Json notes = Json::MakeArray();
    for (std::string& note : manifests::NotesOf(object.key.resource, object.document.root())) {
      notes.Append(std::move(note));
    }
    if (object.key.resource == "services") notes.Append(Endpoints(object));
    return notes;
  }

  // How many ready ones the slices of a Service have.
  std::string Endpoints(const state::Object& service) const {
    int64_t ready = 0;
    for (const state::ObjectPtr& slice : view_.Lookup(state::Index::kOwner, service.Uid())) {
      for (const base::Value endpoint : (*slice)["endpoints"].Elements()) {
        ready += endpoint["conditions"]["ready"].AsBool(true);
      }
    }
    return std::to_string(ready) + (ready == 1 ? " endpoint" : " endpoints");
  }

  // The newest warnings about an object.
  void AddWarnings(const state::Object& object, Json& report) const {
    std::multimap<std::string, state::ObjectPtr, std::greater<>> by_time;
    for (const state::ObjectPtr& event : view_.Lookup(state::Index::kAbout, object.Uid())) {
      if ((*event)["type"].AsString() != "Warning") continue;
      by_time.emplace((*event)["lastTimestamp"].AsString(), event);
    }
    Json warnings = Json::MakeArray();
    for (const auto& [time, event] : by_time) {
      if (warnings.size() == kMaxWarnings) break;
      warnings.Append(Json::MakeObject({{"reason", (*event)["reason"].AsString()},
                                        {"message", (*event)["message"].AsString()},
                                        {"count", (*event)["count"].AsInt(1)},
                                        {"last", time}}));
    }
    if (!warnings.empty()) report.Set("warnings", std::move(warnings));
  }

  const state::View& view_;
  const manifests::Schema& schema_;
  size_t objects_ = 0;
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::vector<std::string> NamesOf(const manifests::Kind& kind) {
  std::vector<std::string> names = {kind.singular, kind.plural, Lower(kind.kind), kind.Resource()};
  names.insert(names.end(), kind.short_names.begin(), kind.short_names.end());
  return names;
}

Result<const manifests::Kind*> FindKind(const manifests::Schema& schema, const std::string& text) {
  const std::string wanted = Lower(text);
  std::vector<std::string_view> known = {kRepository, kApplication};
  for (const manifests::Kind* kind : schema.kinds()) {
    for (const std::string& name : NamesOf(*kind)) {
      if (name == wanted) return kind;
    }
    known.push_back(kind->singular);
    known.insert(known.end(), kind->short_names.begin(), kind->short_names.end());
  }
  const std::string_view meant = manifests::Closest(wanted, known);
  return Status(Code::kInvalid,
                "there is no kind \"" + text + "\"" +
                    (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
}

// Without a namespace, the object of that name wherever it is, if there is but one.
Result<state::ObjectPtr> FindObject(const state::View& view, const manifests::Kind& kind,
                                    const StatusQuery& query) {
  const std::string what = kind.singular + " \"" + query.name + "\"";
  if (!kind.namespaced || !query.ns.empty()) {
    state::ObjectPtr object =
        view.Get(kind.Resource(), kind.namespaced ? query.ns : "", query.name);
    if (object != nullptr) return object;
    return Status(Code::kNotFound,
                  "there is no " + what + (kind.namespaced ? " in namespace " + query.ns : ""));
  }
  std::vector<state::ObjectPtr> found;
  for (const state::ObjectPtr& object : view.List(kind.Resource())) {
    if (object->key.name == query.name) found.push_back(object);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return Status(Code::kNotFound, "there is no " + what + " in any namespace");
  std::string namespaces;
  for (const state::ObjectPtr& object : found) {
    namespaces += (namespaces.empty() ? "" : ", ") + object->key.ns;
  }
  return Status(Code::kInvalid, "there is a " + what +
                                    " in several namespaces; choose one with "
                                    "-n: " +
                                    namespaces);
}

}  // namespace

Json ClusterStatus(const state::View& view, const std::string& ns) {
  Json nodes = Json::MakeArray(), repositories = Json::MakeArray();
  int64_t more_nodes = 0;
  for (const state::ObjectPtr& node : view.List("nodes")) {
    nodes.size() < kMaxStatusObjects ? nodes.Append(NodeStatus(view, *node)) : void(++more_nodes);
  }
  for (const std::string& name : gitsync::ApplicationNames(view)) {
    const state::ObjectPtr record = view.Get(gitsync::KustomizationKey(name));
    const state::ObjectPtr inventory =
        view.Get(gitsync::kInventories, gitsync::kSystemNamespace, name);
    if (record == nullptr) continue;
    repositories.Append(DeployStatus(
        *record, inventory == nullptr ? 0 : static_cast<size_t>((*inventory)["count"].AsInt())));
  }
  int64_t healthy = 0, more = 0;
  std::map<std::pair<int, state::Key>, Json> unhealthy;  // failed ones first
  for (const manifests::Kind* kind : view.schema()->kinds()) {
    if (!IsListed(*kind) || (!ns.empty() && !kind->namespaced)) continue;
    for (const state::ObjectPtr& object : view.List(kind->Resource(), ns)) {
      if (object->ControllerRef().Exists()) continue;
      const Health health = gitsync::HealthOf(*object, view);
      if (health.level == Health::Level::kHealthy) {
        ++healthy;
        continue;
      }
      const int rank = health.level == Health::Level::kFailed ? 0 : 1;
      unhealthy.emplace(std::pair(rank, object->key),
                        Json::MakeObject({{"object", object->key.ToString()},
                                          {"level", LevelName(health.level)},
                                          {"reason", health.reason}}));
      if (unhealthy.size() > kMaxStatusObjects) {
        unhealthy.erase(std::prev(unhealthy.end()));
        ++more;
      }
    }
  }
  Json list = Json::MakeArray();
  for (auto& [key, report] : unhealthy) list.Append(std::move(report));
  Json report = Json::MakeObject({{"nodes", std::move(nodes)},
                                  {"more_nodes", more_nodes},
                                  {"repositories", std::move(repositories)},
                                  {"unhealthy", std::move(list)},
                                  {"more_unhealthy", more},
                                  {"healthy", healthy}});
  const bool older = view.Get("namespaces", "", state::kSystemNamespace) != nullptr &&
                     !state::DefaultPodSecurity(view);
  if (older) report.Set("note", state::kUnconfinedSentence);
  return report;
}

Result<Json> ObjectStatus(const state::View& view, const StatusQuery& query) {
  Tree tree(view);
  const std::string kind_name = Lower(query.kind);
  if (kind_name == kRepository || kind_name == "repo" || kind_name == "repos" ||
      kind_name == "repositories") {
    if (view.Get(gitsync::GitRepositoryKey(query.name)) == nullptr) {
      return gitsync::NoRepository(query.name);
    }
    return tree.OfRepository(query.name);
  }
  if (kind_name == kApplication || kind_name == "app" || kind_name == "apps" ||
      kind_name == "applications") {
    if (view.Get(gitsync::KustomizationKey(query.name)) == nullptr) {
      return gitsync::NoRepository(query.name);
    }
    return tree.OfApplication(query.name, kApplication);
  }
  ASSIGN_OR_RETURN(const manifests::Kind* const kind, FindKind(*view.schema(), query.kind));
  ASSIGN_OR_RETURN(const state::ObjectPtr object, FindObject(view, *kind, query));
  return tree.Of(*object);
}

}  // namespace plumb
