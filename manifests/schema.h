// Schema: the table of all types, compiled from manifests/types/*.yaml (and, at run time, from
// CustomResourceDefinitions). It drives REST paths, discovery, OpenAPI, validation, defaulting,
// tables, merge patches and the protobuf wire form.
//
// Immutable once loaded; pointers into it live as long as it does; any thread.
// manifests/types/README.md describes the form of the files; the facts in them are those of the
// Kubernetes API v1.35.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace manifests {

struct Message;

// What a field holds, seen one at a time (an element of a list, a value of a map).
enum class Scalar : uint8_t {
  kString,
  kBool,
  kInt32,
  kInt64,
  kDouble,
  kBytes,      // base64 in JSON
  kQuantity,   // resource.Quantity: "500m", "1Gi"; a JSON number is accepted
  kTime,       // metav1.Time, RFC 3339
  kMicroTime,  // metav1.MicroTime
  kDuration,   // Go duration text, as Flux writes it
  kIntOrString,
  kAny,  // any JSON (RawExtension, FieldsV1, unknown fields preserved)
  kMessage,
};

enum class Shape : uint8_t { kSingle, kList, kMap /* keys are strings */ };

// How two writers' lists are merged: Kubernetes' x-kubernetes-list-type and patchStrategy.
// A field that is no list is kMap if its members are merged one by one, kAtomic if it is one value.
enum class ListType : uint8_t { kAtomic, kSet, kMap };

struct Field {
  std::string name;  // JSON name
  Scalar scalar = Scalar::kString;
  Shape shape = Shape::kSingle;
  const Message* message = nullptr;  // for kMessage
  uint32_t number = 0;               // protobuf field number; 0: the field has no wire form
  bool presence = false;             // on the wire a zero is a value: 0, false or "" is not absence
  bool required = false;             // must be there (and not empty, for strings and lists)
  bool immutable = false;            // after creation
  bool ignored = false;              // accepted but not acted on yet: a warning says so
  std::string partly;  // what is missing of acting on it; a warning says so, of the values
  std::vector<std::string> partly_for;  // in this list, or of all if it is empty
  bool inlined = false;  // the message's fields stand in the parent object (Go's inline embedding)

  ListType list_type = ListType::kAtomic;
  std::vector<std::string> list_keys;  // for ListType::kMap and for associative patches
  // Strategic merge patch (patchStrategy, patchMergeKey). Without `patch_merge` a list is replaced.
  bool patch_merge = false;
  bool patch_retain_keys = false;
  std::string patch_merge_key;

  std::optional<base::Json> default_value;
  std::optional<int64_t> minimum;
  std::optional<int64_t> maximum;
  std::optional<int64_t> max_length;  // of a string in bytes, or of a list in elements
  std::vector<std::string> enum_values;
  std::string format;  // a named syntax of manifests/syntax.h: "dns1123label", "dns1123subdomain",
                       // "labelvalue", ...
};

struct Message {
  std::string name;               // "PodSpec"
  std::string group;              // "core/v1": where it is defined
  std::vector<Field> fields;      // by name
  bool preserve_unknown = false;  // unknown fields are kept rather than refused
  bool atomic = false;            // has one owner as a whole, see manifests/apply

  // The field that the JSON name `field` means in an object of this message, those of inlined
  // messages included; null if there is none.
  const Field* Find(std::string_view field) const;
};

// A column of kubectl's table.
struct Column {
  std::string name;
  std::string type;    // "string", "integer", "date"
  std::string format;  // "name" or empty
  int priority = 0;    // 0 shown by default, 1 with -o wide
  std::string path;    // ".spec.replicas"; or "=cell", see manifests/kinds/kind_facts.h
};

class Schema;
struct Kind;
using SchemaPtr = std::shared_ptr<const Schema>;
using KindPtr = std::shared_ptr<const Kind>;  // keeps the schema that it is of

// A kind in one of its versions.
struct Kind {
  std::string group;    // "" for core
  std::string version;  // "v1"
  std::string kind;     // "Pod"
  std::string plural;   // "pods"
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = true;
  const Message* root =
      nullptr;  // the fields beside apiVersion and kind: metadata, spec, status, ...
  std::vector<std::string> subresources;  // "status", "scale", "log", "binding", "eviction", ...
  std::vector<Column> columns;
  std::map<std::string, std::string>
      field_selectors;     // selectable field -> path; metadata.* always are
  bool generation = true;  // metadata.generation counts changes of the spec
  bool storage = false;    // of several versions this one is stored
  bool ignored = false;    // accepted, but nothing acts on it yet: a warning says so

  // "v1" or "apps/v1".
  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  // "pods" or "deployments.apps": the key's first part in the store.
  std::string Resource() const { return group.empty() ? plural : plural + "." + group; }
};

class Schema : public std::enable_shared_from_this<Schema> {
 public:
  // The built-in types. They are part of the program, so a mistake in them is a programmer error.
  static SchemaPtr BuiltIn();

  struct Source {
    std::string name;
    std::string_view text;
  };
  // kInvalid, with file and line, if a file breaks the form or names an unknown message.
  static base::Result<SchemaPtr> Load(const std::vector<Source>& sources);
  // This one and more: what there is already is shared.
  base::Result<SchemaPtr> With(const std::vector<Source>& sources) const;

  // The same for schemas of the same sources, and for no others: it keys what is made of a schema.
  uint64_t version() const { return version_; }

  // Null if there is none.
  const Kind* FindKind(std::string_view api_version, std::string_view kind) const;
  const Kind* FindResource(std::string_view group, std::string_view version,
                           std::string_view plural) const;
  // Of "deployments.apps": in the version that is stored.
  const Kind* FindByResource(std::string_view resource) const;
  const Message* FindMessage(std::string_view group, std::string_view name) const;

  // `kind`, one of this schema's, for what outlives the call.
  KindPtr Hold(const Kind& kind) const { return KindPtr(shared_from_this(), &kind); }

  // All kinds, by group, version and plural: a fixed order.
  const std::vector<const Kind*>& kinds() const { return kinds_; }
  // All messages, as the files declare them.
  const std::vector<std::unique_ptr<Message>>& messages() const { return messages_; }

  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema();

 private:
  friend class SchemaLoader;
  Schema();
  static base::Result<SchemaPtr> LoadOver(const SchemaPtr& base,
                                          const std::vector<Source>& sources);

  SchemaPtr base_;  // whose messages and kinds are among these
  uint64_t version_ = 0xCBF29CE484222325u;
  std::map<std::string, std::vector<std::string>, std::less<>> enums_;
  std::vector<std::unique_ptr<Message>> messages_;
  std::vector<std::unique_ptr<Kind>> owned_kinds_;
  std::vector<const Kind*> kinds_;
  // "apps/v1 Deployment", "apps/v1 deployments", "deployments.apps", "apps/v1 DeploymentSpec".
  std::map<std::string, const Kind*, std::less<>> by_kind_;
  std::map<std::string, const Kind*, std::less<>> by_path_;
  std::map<std::string, const Kind*, std::less<>> by_resource_;
  std::map<std::string, const Message*, std::less<>> by_message_;
};

}  // namespace manifests
