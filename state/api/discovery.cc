// What the server serves: /version, health, the groups and resources in both forms of discovery (a
// document a group-version, and the aggregated one, which the client asks for by media type), and
// OpenAPI. All of it follows from the schema.
#include <map>

#include "base/words.h"
#include "state/api/handlers.h"
#include "state/api/openapi.h"

namespace state {
namespace {

using base::Json;
using manifests::Kind;
using manifests::Schema;

constexpr std::string_view kAggregatedGroup = "apidiscovery.k8s.io";
constexpr std::string_view kAggregatedKind = "APIGroupDiscoveryList";
constexpr std::string_view kAllVerbs[] = {"create", "delete", "deletecollection", "get",
                                          "list",   "patch",  "update",           "watch"};

// Group -> version -> kinds by plural; groups and versions in alphabetical order.
using Groups = std::map<std::string, std::map<std::string, std::vector<const Kind*>>>;

Groups GroupsOf(const Schema& schema) {
  Groups groups;
  for (const Kind* kind : schema.kinds()) groups[kind->group][kind->version].push_back(kind);
  return groups;
}

Json VerbsOf(const Kind& kind) {
  Json verbs = Json::MakeArray();
  for (const std::string_view verb : kAllVerbs) {
    // A namespace takes all its content with it; many at once is not served.
    if (kind.plural == "namespaces" && verb == "deletecollection") continue;
    verbs.Append(verb);
  }
  return verbs;
}

Json SplitVerbs(std::string_view verbs) {
  Json list = Json::MakeArray();
  while (!verbs.empty()) {
    const size_t end = std::min(verbs.find(' '), verbs.size());
    list.Append(verbs.substr(0, end));
    verbs.remove_prefix(std::min(end + 1, verbs.size()));
  }
  return list;
}

std::string GroupVersion(const std::string& group, const std::string& version) {
  return group.empty() ? version : group + "/" + version;
}

void AppendResource(const Kind& kind, Json& resources) {
  Json resource = Json::MakeObject({{"name", kind.plural},
                                    {"singularName", kind.singular},
                                    {"namespaced", kind.namespaced},
                                    {"kind", kind.kind},
                                    {"verbs", VerbsOf(kind)}});
  if (!kind.short_names.empty()) resource.Set("shortNames", base::ListOf(kind.short_names));
  if (!kind.categories.empty()) resource.Set("categories", base::ListOf(kind.categories));
  resources.Append(std::move(resource));
  for (const std::string& name : kind.subresources) {
    const SubresourceInfo* info = FindSubresource(kind, name);
    if (info == nullptr) continue;
    Json entry = Json::MakeObject({{"name", kind.plural + "/" + name},
                                   {"singularName", ""},
                                   {"namespaced", kind.namespaced},
                                   {"kind", info->kind.empty() ? kind.kind : info->kind},
                                   {"verbs", SplitVerbs(info->verbs)}});
    if (!info->group.empty()) entry.Set("group", info->group);
    if (!info->version.empty()) entry.Set("version", info->version);
    resources.Append(std::move(entry));
  }
}

Json ResourceList(const std::string& group_version, const std::vector<const Kind*>& kinds) {
  Json resources = Json::MakeArray();
  for (const Kind* kind : kinds) AppendResource(*kind, resources);
  return Json::MakeObject({{"kind", "APIResourceList"},
                           {"apiVersion", "v1"},
                           {"groupVersion", group_version},
                           {"resources", std::move(resources)}});
}

Json ResponseKind(std::string_view group, std::string_view version, std::string_view kind) {
  return Json::MakeObject({{"group", group}, {"version", version}, {"kind", kind}});
}

Json AggregatedResource(const Kind& kind) {
  Json subresources = Json::MakeArray();
  for (const std::string& name : kind.subresources) {
    const SubresourceInfo* info = FindSubresource(kind, name);
    if (info == nullptr) continue;
    const bool own = info->kind.empty();
    subresources.Append(Json::MakeObject(
        {{"subresource", name},
         {"responseKind", own ? ResponseKind(kind.group, kind.version, kind.kind)
                              : ResponseKind(info->group, info->version, info->kind)},
         {"verbs", SplitVerbs(info->verbs)}}));
  }
  Json resource =
      Json::MakeObject({{"resource", kind.plural},
                        {"responseKind", ResponseKind(kind.group, kind.version, kind.kind)},
                        {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                        {"singularResource", kind.singular},
                        {"verbs", VerbsOf(kind)}});
  if (!kind.short_names.empty()) resource.Set("shortNames", base::ListOf(kind.short_names));
  if (!kind.categories.empty()) resource.Set("categories", base::ListOf(kind.categories));
  if (!subresources.empty()) resource.Set("subresources", std::move(subresources));
  return resource;
}

Json AggregatedGroup(const std::string& group,
                     const std::map<std::string, std::vector<const Kind*>>& versions) {
  Json list = Json::MakeArray();
  for (const auto& [version, kinds] : versions) {
    Json resources = Json::MakeArray();
    for (const Kind* kind : kinds) resources.Append(AggregatedResource(*kind));
    list.Append(Json::MakeObject(
        {{"version", version}, {"freshness", "Current"}, {"resources", std::move(resources)}}));
  }
  Json metadata = Json::MakeObject({{"creationTimestamp", nullptr}});
  if (!group.empty()) metadata.Set("name", group);
  return Json::MakeObject({{"metadata", std::move(metadata)}, {"versions", std::move(list)}});
}

Json AggregatedList(const Groups& groups, bool core, std::string_view version) {
  Json items = Json::MakeArray();
  for (const auto& [group, versions] : groups) {
    if (group.empty() == core) items.Append(AggregatedGroup(group, versions));
  }
  return Json::MakeObject(
      {{"kind", kAggregatedKind},
       {"apiVersion", std::string(kAggregatedGroup) + "/" + std::string(version)},
       {"metadata", Json::MakeObject()},
       {"items", std::move(items)}});
}

Json GroupOf(const std::string& group,
             const std::map<std::string, std::vector<const Kind*>>& versions) {
  Json list = Json::MakeArray();
  for (const auto& [version, kinds] : versions) {
    list.Append(
        Json::MakeObject({{"groupVersion", GroupVersion(group, version)}, {"version", version}}));
  }
  const Json preferred = list.At(0);
  return Json::MakeObject(
      {{"name", group}, {"versions", std::move(list)}, {"preferredVersion", preferred}});
}

Json GroupList(const Groups& groups) {
  Json list = Json::MakeArray();
  for (const auto& [group, versions] : groups) {
    if (!group.empty()) list.Append(GroupOf(group, versions));
  }
  return Json::MakeObject(
      {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(list)}});
}

Json CoreVersions() {
  return Json::MakeObject({{"kind", "APIVersions"},
                           {"versions", Json::MakeArray({"v1"})},
                           {"serverAddressByClientCIDRs", Json::MakeArray()}});
}

base::HttpResponse JsonResponse(const Json& body) {
  base::HttpResponse response;
  response.body = body.ToString();
  return response;
}

// The version of the aggregated form that the client prefers to plain JSON; empty if it does not.
std::string AggregatedVersion(const base::HttpRequest& request) {
  for (const MediaType& type : ParseMediaTypes(request.Header("accept"))) {
    if (type.type != "application/json") continue;
    if (type.Parameter("as").empty()) return "";
    const std::string_view version = type.Parameter("v");
    if (type.Parameter("as") == kAggregatedKind && type.Parameter("g") == kAggregatedGroup &&
        (version == "v2" || version == "v2beta1"))
      return std::string(version);
  }
  return "";
}

base::HttpResponse GroupsResponse(const base::HttpRequest& request, const Schema& schema,
                                  bool core) {
  const Groups groups = GroupsOf(schema);
  const std::string version = AggregatedVersion(request);
  base::HttpResponse response;
  if (version.empty()) {
    response = JsonResponse(core ? CoreVersions() : GroupList(groups));
  } else {
    response = JsonResponse(AggregatedList(groups, core, version));
    response.content_type = "application/json;g=" + std::string(kAggregatedGroup) +
                            ";v=" + version + ";as=" + std::string(kAggregatedKind);
  }
  response.headers.emplace_back("Vary", "Accept");
  return response;
}

Json VersionOf(const VersionInfo& version) {
  const size_t dot = version.kubernetes.find('.');
  const size_t second = version.kubernetes.find('.', dot + 1);
  return Json::MakeObject({{"major", version.kubernetes.substr(0, dot)},
                           {"minor", version.kubernetes.substr(dot + 1, second - dot - 1)},
                           {"gitVersion", "v" + version.kubernetes + "+" + version.program + "." +
                                              version.program_version},
                           {"gitCommit", ""},
                           {"gitTreeState", ""},
                           {"buildDate", "1970-01-01T00:00:00Z"},
                           {"goVersion", ""},
                           {"compiler", "c++"},
                           {"platform", "linux/amd64"}});
}

std::optional<base::HttpResponse> OpenApiResponse(const base::HttpRequest& request,
                                                  const OpenApi& openapi) {
  const auto& path = request.segments;
  if (path.size() < 2 || path[1] != "v3") return std::nullopt;
  std::string name;
  for (size_t i = 2; i < path.size(); ++i) name += (i == 2 ? "" : "/") + path[i];
  const std::string* text = name.empty() ? &openapi.index() : openapi.Document(name);
  if (text == nullptr) return std::nullopt;
  base::HttpResponse response;
  response.body = *text;
  return response;
}

// /api/v1, /apis/GROUP, /apis/GROUP/VERSION.
std::optional<base::HttpResponse> OneGroup(const base::HttpRequest& request, const Schema& schema) {
  const auto& path = request.segments;
  const Groups groups = GroupsOf(schema);
  const bool core = path[0] == "api";
  const auto group = groups.find(core ? "" : path[1]);
  if (group == groups.end()) return std::nullopt;
  if (!core && path.size() == 2) {
    Json body = GroupOf(group->first, group->second);
    body.Set("kind", "APIGroup");
    body.Set("apiVersion", "v1");
    return JsonResponse(body);
  }
  if (path.size() != (core ? 2u : 3u)) return std::nullopt;
  const auto version = group->second.find(path.back());
  if (version == group->second.end()) return std::nullopt;
  return JsonResponse(ResourceList(GroupVersion(group->first, version->first), version->second));
}

base::HttpResponse Root(const Schema& schema) {
  Json paths = Json::MakeArray({"/api", "/apis"});
  for (const auto& [group, versions] : GroupsOf(schema)) {
    if (!group.empty()) paths.Append("/apis/" + group);
    for (const auto& [version, kinds] : versions)
      paths.Append((group.empty() ? "/api/" : "/apis/") + GroupVersion(group, version));
  }
  for (const char* path : {"/healthz", "/livez", "/openapi/v3", "/readyz", "/version"})
    paths.Append(path);
  return JsonResponse(Json::MakeObject({{"paths", std::move(paths)}}));
}

}  // namespace

bool IsDiscovery(const base::HttpRequest& request) {
  const auto& path = request.segments;
  return path.empty() || path.front() == "api" || path.front() == "apis" ||
         path.front() == "openapi";
}

std::optional<base::HttpResponse> Discover(const base::HttpRequest& request, const Schema& schema,
                                           const OpenApi* openapi, const VersionInfo& version) {
  if (request.method != "GET") return std::nullopt;
  const auto& path = request.segments;
  if (path.empty()) return Root(schema);
  const std::string& first = path.front();
  if (path.size() == 1) {
    if (first == "version") return JsonResponse(VersionOf(version));
    if (first == "healthz" || first == "livez" || first == "readyz") {
      base::HttpResponse response;
      response.content_type = "text/plain; charset=utf-8";
      response.body = "ok";
      return response;
    }
    if (first == "api" || first == "apis") return GroupsResponse(request, schema, first == "api");
  }
  if (first == "openapi")
    return openapi != nullptr ? OpenApiResponse(request, *openapi)
                              : OpenApiResponse(request, OpenApi(schema));
  if (first == "api" || first == "apis") return OneGroup(request, schema);
  return std::nullopt;
}

}  // namespace state
