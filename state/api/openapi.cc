// One document a group-version: the paths of its kinds, and the schemas that they reach.
//
// Names are those that clients know: apps/v1's Deployment is io.k8s.api.apps.v1.Deployment; a group
// that is not Kubernetes' own is named backwards, as for custom resources. Only Kubernetes' own
// kinds take strategic merge patches. kubectl decides by a PATCH operation's group-version-kind,
// its `fieldValidation` parameter and its media types; `kubectl explain` walks from a path to a
// schema by group-version-kind.
//
// A list's elements are merged as the schema says (x-kubernetes-list-type, and -patch-strategy for
// strategic merge patches). A reference stands in an allOf, so that a default may stand beside it.
#include "state/api/openapi.h"

#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "state/api/handlers.h"

namespace state {
namespace {

using base::Json;
using manifests::Field;
using manifests::Kind;
using manifests::ListType;
using manifests::Message;
using manifests::Scalar;
using manifests::Schema;
using manifests::Shape;

constexpr std::string_view kMetaV1 = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view kQuantityName = "io.k8s.apimachinery.pkg.api.resource.Quantity";
constexpr std::string_view kIntOrStringName = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
constexpr std::string_view kGvk = "x-kubernetes-group-version-kind";

bool IsKubernetesGroup(std::string_view group) {
  return group.find('.') == std::string_view::npos || group.ends_with(".k8s.io");
}

std::vector<std::string> Labels(std::string_view group) {
  std::vector<std::string> labels;
  while (true) {
    const size_t dot = group.find('.');
    labels.emplace_back(group.substr(0, dot));
    if (dot == std::string_view::npos) return labels;
    group.remove_prefix(dot + 1);
  }
}

// "apps/v1" -> "io.k8s.api.apps.v1.", "source.example.io/v1" -> "io.example.source.v1."
std::string NamePrefix(std::string_view package) {
  if (package == "meta/v1") return std::string(kMetaV1);
  const size_t slash = package.find('/');
  const std::string_view group = package.substr(0, slash);
  const std::string version = "." + std::string(package.substr(slash + 1)) + ".";
  const std::vector<std::string> labels = Labels(group);
  if (IsKubernetesGroup(group)) return "io.k8s.api." + labels.front() + version;
  std::string name;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    name += (name.empty() ? "" : ".") + *label;
  }
  return name + version;
}

std::string NameOf(const Message& message) { return NamePrefix(message.group) + message.name; }

Json GroupVersionKind(std::string_view group, std::string_view version, std::string_view kind) {
  return Json::MakeObject({{"group", group}, {"version", version}, {"kind", kind}});
}

Json Reference(std::string_view name) {
  return Json::MakeObject({{"$ref", "#/components/schemas/" + std::string(name)}});
}

Json AllOf(std::string_view name) {
  return Json::MakeObject({{"allOf", Json::MakeArray({Reference(name)})}});
}

Json Plain(std::string_view type, std::string_view format = {}) {
  Json schema = Json::MakeObject({{"type", type}});
  if (!format.empty()) schema.Set("format", format);
  return schema;
}

Json OneOf(std::string_view first, std::string_view second) {
  return Json::MakeObject({{"oneOf", Json::MakeArray({Plain(first), Plain(second)})}});
}

// Schemas

// The schemas of one document, and those that they refer to.
class Schemas {
 public:
  // Returns the schema's name.
  std::string Add(const Message& message);
  void AddRoot(const Kind& kind);
  void AddGroupVersionKind(const std::string& name, Json gvk);
  Json Take();

 private:
  std::string AddShared(std::string_view name, Json schema);
  void AddFields(const Message& message, Json& properties, Json& required);
  Json Property(const Field& field);
  Json One(const Field& field);
  static void Annotate(const Field& field, Json& schema);

  std::map<std::string, Json> schemas_;
};

std::string Schemas::Add(const Message& message) {
  const std::string name = NameOf(message);
  if (!schemas_.try_emplace(name).second) return name;  // there, or being made: types may recur
  Json properties = Json::MakeObject(), required = Json::MakeArray();
  AddFields(message, properties, required);
  Json schema = Plain("object");
  if (!properties.empty()) schema.Set("properties", std::move(properties));
  if (!required.empty()) schema.Set("required", std::move(required));
  if (message.preserve_unknown) schema.Set("x-kubernetes-preserve-unknown-fields", true);
  if (message.atomic) schema.Set("x-kubernetes-map-type", "atomic");
  schemas_[name] = std::move(schema);
  return name;
}

void Schemas::AddFields(const Message& message, Json& properties, Json& required) {
  for (const Field& field : message.fields) {
    if (field.inlined) {
      AddFields(*field.message, properties, required);
      continue;
    }
    properties.Set(field.name, Property(field));
    if (field.required) required.Append(field.name);
  }
}

std::string Schemas::AddShared(std::string_view name, Json schema) {
  return schemas_.try_emplace(std::string(name), std::move(schema)).first->first;
}

// A single value of the field's type.
Json Schemas::One(const Field& field) {
  switch (field.scalar) {
    case Scalar::kBool: return Plain("boolean");
    case Scalar::kInt32: return Plain("integer", "int32");
    case Scalar::kInt64: return Plain("integer", "int64");
    case Scalar::kDouble: return Plain("number", "double");
    case Scalar::kBytes: return Plain("string", "byte");
    case Scalar::kQuantity: return AllOf(AddShared(kQuantityName, OneOf("string", "number")));
    case Scalar::kTime:
      return AllOf(AddShared(std::string(kMetaV1) + "Time", Plain("string", "date-time")));
    case Scalar::kMicroTime:
      return AllOf(AddShared(std::string(kMetaV1) + "MicroTime", Plain("string", "date-time")));
    case Scalar::kIntOrString: {
      Json schema = OneOf("integer", "string");
      schema.Set("format", "int-or-string");
      return AllOf(AddShared(kIntOrStringName, std::move(schema)));
    }
    case Scalar::kAny: return Json::MakeObject({{"x-kubernetes-preserve-unknown-fields", true}});
    case Scalar::kMessage: return AllOf(Add(*field.message));
    case Scalar::kString:
    case Scalar::kDuration: break;
  }
  Json schema = Plain("string");
  for (const std::string& value : field.enum_values) schema["enum"].Append(value);
  return schema;
}

void Schemas::Annotate(const Field& field, Json& schema) {
  if (field.shape == Shape::kList) {
    constexpr std::string_view kNames[] = {"atomic", "set", "map"};
    schema.Set("x-kubernetes-list-type", kNames[static_cast<size_t>(field.list_type)]);
    if (field.list_type == ListType::kMap) {
      for (const std::string& key : field.list_keys) {
        schema["x-kubernetes-list-map-keys"].Append(key);
      }
    }
  } else if ((field.shape == Shape::kMap || field.scalar == Scalar::kMessage) &&
             field.list_type == ListType::kAtomic) {
    schema.Set("x-kubernetes-map-type", "atomic");
  }
  std::string strategy = field.patch_merge ? "merge" : "";
  if (field.patch_retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
  if (!strategy.empty()) schema.Set("x-kubernetes-patch-strategy", strategy);
  if (!field.patch_merge_key.empty()) {
    schema.Set("x-kubernetes-patch-merge-key", field.patch_merge_key);
  }
}

Json Schemas::Property(const Field& field) {
  Json one = One(field);
  Json schema;
  if (field.shape == Shape::kSingle) {
    schema = std::move(one);
  } else {
    if (field.scalar == Scalar::kMessage) one.Set("default", Json::MakeObject());
    const bool list = field.shape == Shape::kList;
    schema = Plain(list ? "array" : "object");
    schema.Set(list ? "items" : "additionalProperties", std::move(one));
  }
  Annotate(field, schema);
  if (field.default_value) {
    schema.Set("default", *field.default_value);
  } else if (field.shape == Shape::kSingle && field.scalar == Scalar::kMessage && field.required) {
    schema.Set("default", Json::MakeObject());
  }
  return schema;
}

void Schemas::AddGroupVersionKind(const std::string& name, Json gvk) {
  schemas_[name][kGvk].Append(std::move(gvk));
}

void AddTypeFields(Json& schema) {
  schema["properties"].Set("apiVersion", Plain("string"));
  schema["properties"].Set("kind", Plain("string"));
}

void Schemas::AddRoot(const Kind& kind) {
  const std::string name = Add(*kind.root);
  AddTypeFields(schemas_[name]);
  AddGroupVersionKind(name, GroupVersionKind(kind.group, kind.version, kind.kind));

  Json item = AllOf(name);
  item.Set("default", Json::MakeObject());
  Json items = Plain("array");
  items.Set("items", std::move(item));
  Json list = Plain("object");
  AddTypeFields(list);
  list["properties"].Set("items", std::move(items));
  list["properties"].Set("metadata", AllOf(std::string(kMetaV1) + "ListMeta"));
  list.Set("required", Json::MakeArray({"items"}));
  schemas_[name + "List"] = std::move(list);
  AddGroupVersionKind(name + "List",
                      GroupVersionKind(kind.group, kind.version, kind.kind + "List"));
}

Json Schemas::Take() {
  Json json = Json::MakeObject();
  for (auto& [name, schema] : schemas_) json.Set(name, std::move(schema));
  return json;
}

// Paths

Json Parameter(std::string_view name, std::string_view in, std::string_view type) {
  Json parameter = Json::MakeObject({{"name", name}, {"in", in}, {"schema", Plain(type)}});
  if (in == "path") parameter.Set("required", true);
  return parameter;
}

struct Verb {
  std::string_view name;    // of authorization, as discovery lists it
  std::string_view method;  // of HTTP
  std::string_view action;
  std::string_view operation;  // how the operation's id begins
  bool collection;
};
constexpr Verb kVerbs[] = {
    {"list", "get", "list", "list", true},
    {"create", "post", "post", "create", true},
    {"deletecollection", "delete", "deletecollection", "deleteCollection", true},
    {"get", "get", "get", "read", false},
    {"update", "put", "put", "replace", false},
    {"patch", "patch", "patch", "patch", false},
    {"delete", "delete", "delete", "delete", false},
};

Json QueryParameters(std::string_view verb) {
  Json list = Json::MakeArray();
  const auto add = [&list](std::string_view name, std::string_view type) {
    list.Append(Parameter(name, "query", type));
  };
  if (verb == "list" || verb == "deletecollection") {
    for (const auto name : {"continue", "fieldSelector", "labelSelector", "resourceVersion",
                            "resourceVersionMatch"}) {
      add(name, "string");
    }
    add("limit", "integer");
    add("timeoutSeconds", "integer");
    add("sendInitialEvents", "boolean");
  }
  if (verb == "list") {
    add("allowWatchBookmarks", "boolean");
    add("watch", "boolean");
  }
  if (verb == "list" || verb == "get") return list;
  add("dryRun", "string");
  if (verb == "create" || verb == "update" || verb == "patch") {
    add("fieldManager", "string");
    add("fieldValidation", "string");
  } else {
    add("gracePeriodSeconds", "integer");
    add("orphanDependents", "boolean");
    add("propagationPolicy", "string");
  }
  if (verb == "patch") add("force", "boolean");
  return list;
}

Json Content(const std::vector<std::string_view>& media_types, std::string_view schema) {
  Json content = Json::MakeObject();
  for (const std::string_view media_type : media_types) {
    content.Set(media_type, Json::MakeObject({{"schema", Reference(schema)}}));
  }
  return Json::MakeObject({{"content", std::move(content)}});
}

// What is served at one path: a kind, or a subresource of one.
struct Served {
  const Kind& kind;
  std::string subresource;  // empty: the kind itself
  std::string body;         // name of the schema
  Json gvk;                 // of the body
};

std::string Camel(std::string_view text) {
  std::string word(text);
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') {
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  }
  return word;
}

std::string OperationId(const Verb& verb, const Served& served, bool all_namespaces) {
  const Kind& kind = served.kind;
  std::string id(verb.operation);
  const std::vector<std::string> labels = Labels(kind.group.empty() ? "core" : kind.group);
  for (size_t i = 0; i < (IsKubernetesGroup(kind.group) ? 1 : labels.size()); ++i) {
    id += Camel(labels[i]);
  }
  id += Camel(kind.version);
  if (kind.namespaced && !all_namespaces) id += "Namespaced";
  id += kind.kind + Camel(served.subresource);
  return all_namespaces ? id + "ForAllNamespaces" : id;
}

Json RequestBody(const Verb& verb, const Served& served) {
  if (verb.name == "patch") {
    std::vector<std::string_view> media_types = {"application/apply-patch+yaml",
                                                 "application/json-patch+json",
                                                 "application/merge-patch+json"};
    if (IsKubernetesGroup(served.kind.group)) {
      media_types.push_back("application/strategic-merge-patch+json");
    }
    return Content(media_types, std::string(kMetaV1) + "Patch");
  }
  if (verb.method == "delete") return Content({"*/*"}, std::string(kMetaV1) + "DeleteOptions");
  return Content({"*/*"}, served.body);
}

Json Operation(const Verb& verb, const Served& served, bool all_namespaces) {
  Json operation = Json::MakeObject({{"operationId", OperationId(verb, served, all_namespaces)},
                                     {"parameters", QueryParameters(verb.name)},
                                     {"x-kubernetes-action", verb.action},
                                     {kGvk, served.gvk}});
  if (verb.method != "get") operation.Set("requestBody", RequestBody(verb, served));
  std::string answer = served.body;
  if (verb.name == "list") answer += "List";
  if (verb.name == "deletecollection") answer = std::string(kMetaV1) + "Status";
  Json response = Content({"application/json", "application/yaml"}, answer);
  response.Set("description", "OK");
  const bool created = verb.name == "create";
  operation.Set("responses", Json::MakeObject({{created ? "201" : "200", std::move(response)}}));
  return operation;
}

bool HasWord(std::string_view words, std::string_view word) {
  return (" " + std::string(words) + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

Json PathParameters(std::string_view path) {
  Json list = Json::MakeArray();
  for (const std::string_view name : {"name", "namespace"}) {
    if (path.find("{" + std::string(name) + "}") != std::string_view::npos) {
      list.Append(Parameter(name, "path", "string"));
    }
  }
  list.Append(Parameter("pretty", "query", "string"));
  return list;
}

class Paths {
 public:
  explicit Paths(std::string_view prefix) : prefix_(prefix) {}
  void AddKind(const Served& served);
  void AddSubresource(const Served& served, std::string_view verbs);
  Json Take() { return std::move(paths_); }

 private:
  std::string Collection(const Kind& kind) const {
    return prefix_ + (kind.namespaced ? "/namespaces/{namespace}/" : "/") + kind.plural;
  }
  void Add(const std::string& path, const Verb& verb, const Served& served,
           bool all_namespaces = false);

  std::string prefix_;  // "/apis/apps/v1"
  Json paths_ = Json::MakeObject();
};

void Paths::Add(const std::string& path, const Verb& verb, const Served& served,
                bool all_namespaces) {
  Json& item = paths_[path];
  if (item.IsNull()) item.Set("parameters", PathParameters(path));
  item.Set(verb.method, Operation(verb, served, all_namespaces));
}

void Paths::AddKind(const Served& served) {
  const Kind& kind = served.kind;
  const std::string collection = Collection(kind);
  for (const Verb& verb : kVerbs) {
    // As in discovery: a namespace takes its content with it; many at once is not served.
    if (kind.plural == "namespaces" && verb.name == "deletecollection") continue;
    Add(verb.collection ? collection : collection + "/{name}", verb, served);
    if (verb.name == "list" && kind.namespaced) {
      Add(prefix_ + "/" + kind.plural, verb, served, true);
    }
  }
}

void Paths::AddSubresource(const Served& served, std::string_view verbs) {
  const std::string path = Collection(served.kind) + "/{name}/" + served.subresource;
  for (const Verb& verb : kVerbs) {
    if (HasWord(verbs, verb.name)) Add(path, verb, served);
  }
}

// Documents

std::string DocumentPath(const Kind& kind) {
  return (kind.group.empty() ? "api/" : "apis/") + kind.ApiVersion();
}

// The package of a group-version: where its messages are defined.
std::string PackageOf(std::string_view group, std::string_view version) {
  return std::string(group.empty() ? "core" : group) + "/" + std::string(version);
}

void AddSubresources(const Schema& schema, const Kind& kind, const std::string& root,
                     Schemas& schemas, Paths& paths, std::map<std::string, Json>& bodies) {
  for (const std::string& name : kind.subresources) {
    const SubresourceInfo* info = FindSubresource(kind, name);
    if (info == nullptr) continue;
    Served served{kind, name, root, GroupVersionKind(kind.group, kind.version, kind.kind)};
    if (!info->kind.empty()) {
      const Message* body = schema.FindMessage(PackageOf(info->group, info->version), info->kind);
      if (body == nullptr) continue;  // its body is no message, so nothing here describes it
      served.body = schemas.Add(*body);
      served.gvk = GroupVersionKind(info->group, info->version, info->kind);
      bodies.insert_or_assign(served.body, served.gvk);
    }
    paths.AddSubresource(served, info->verbs);
  }
}

// The messages that every document's operations name.
void AddCommon(const Schema& schema, Schemas& schemas) {
  for (const std::string_view name : {"DeleteOptions", "ListMeta", "Status"}) {
    if (const Message* message = schema.FindMessage("meta/v1", name)) schemas.Add(*message);
  }
  const Message patch{.name = "Patch", .group = "meta/v1", .fields = {}};
  schemas.Add(patch);
}

Json MakeDocument(const Schema& schema, std::string_view path) {
  Schemas schemas;
  Paths paths("/" + std::string(path));
  std::map<std::string, Json> bodies;  // kinds of subresources, by schema
  AddCommon(schema, schemas);
  for (const Kind* kind : schema.kinds()) {
    if (DocumentPath(*kind) != path) continue;
    const std::string root = NameOf(*kind->root);
    schemas.AddRoot(*kind);
    paths.AddKind({*kind, "", root, GroupVersionKind(kind->group, kind->version, kind->kind)});
    AddSubresources(schema, *kind, root, schemas, paths, bodies);
  }
  for (auto& [name, gvk] : bodies) schemas.AddGroupVersionKind(name, std::move(gvk));
  return Json::MakeObject({{"openapi", "3.0.0"},
                           {"info", Json::MakeObject({{"title", "plumb"}, {"version", "v1"}})},
                           {"components", Json::MakeObject({{"schemas", schemas.Take()}})},
                           {"paths", paths.Take()}});
}

// Clients only compare it.
std::string HashOf(std::string_view text) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llX",
                static_cast<unsigned long long>(base::Fnv64(text)));
  return digits;
}

}  // namespace

OpenApi::OpenApi(const Schema& schema) : schema_version_(schema.version()) {
  for (const Kind* kind : schema.kinds()) documents_.try_emplace(DocumentPath(*kind));
  Json paths = Json::MakeObject();
  for (auto& [path, document] : documents_) {
    document = MakeDocument(schema, path).ToString();
    const std::string address = "/openapi/v3/" + path + "?hash=" + HashOf(document);
    paths.Set(path, Json::MakeObject({{"serverRelativeURL", address}}));
  }
  index_ = Json::MakeObject({{"paths", std::move(paths)}}).ToString();
}

const std::string* OpenApi::Document(std::string_view path) const {
  const auto found = documents_.find(path);
  return found == documents_.end() ? nullptr : &found->second;
}

}  // namespace state
