// Compiles types/*.yaml into a Schema; types/README.md describes their form.
//
// Three passes, so that files and messages may name each other in any order: first every package's
// messages and enumerations are declared, then the fields are filled in, then the kinds. Whatever
// the form does not know is refused with file and line: a misspelt attribute would otherwise
// silently weaken validation.
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "manifests/schema.h"
#include "manifests/syntax.h"
#include "manifests/type_tree.h"

namespace manifests {

using base::Json;
using base::Result;
using base::Status;

namespace {

struct ScalarName {
  std::string_view name;
  Scalar scalar;
};
constexpr ScalarName kScalarNames[] = {
    {"string", Scalar::kString},
    {"bool", Scalar::kBool},
    {"int32", Scalar::kInt32},
    {"int64", Scalar::kInt64},
    {"double", Scalar::kDouble},
    {"bytes", Scalar::kBytes},
    {"quantity", Scalar::kQuantity},
    {"time", Scalar::kTime},
    {"microTime", Scalar::kMicroTime},
    {"duration", Scalar::kDuration},
    {"intOrString", Scalar::kIntOrString},
    {"any", Scalar::kAny},
};

// FNV-1a, 64 bits.
uint64_t Mixed(uint64_t hash, char c) { return (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u; }

bool IsNumeric(Scalar scalar) {
  return scalar == Scalar::kInt32 || scalar == Scalar::kInt64 || scalar == Scalar::kDouble ||
         scalar == Scalar::kIntOrString;
}

std::optional<int64_t> ReadInteger(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A default as JSON; its own looks decide, unless the field holds text anyway.
Json ReadDefault(const TypeNode& node, Scalar scalar) {
  switch (node.kind) {
    case TypeNode::Kind::kList: {
      Json list = Json::MakeArray();
      for (const TypeNode& child : node.children) list.Append(ReadDefault(child, scalar));
      return list;
    }
    case TypeNode::Kind::kMap: {
      Json map = Json::MakeObject();
      for (size_t i = 0; i < node.keys.size(); ++i) {
        map.Set(node.keys[i], ReadDefault(node.children[i], Scalar::kAny));
      }
      return map;
    }
    case TypeNode::Kind::kScalar: break;
  }
  const bool may_be_other = IsNumeric(scalar) || scalar == Scalar::kBool || scalar == Scalar::kAny;
  if (node.quoted || !may_be_other) return node.text;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  if (const auto integer = ReadInteger(node.text)) return *integer;
  return node.text;
}

// True if a default can stand in such a field at all.
bool DefaultFits(const Field& field, const Json& value) {
  if (field.shape == Shape::kList) return value.IsArray();
  if (field.shape == Shape::kMap || field.scalar == Scalar::kMessage) return value.IsObject();
  switch (field.scalar) {
    case Scalar::kBool: return value.IsBool();
    case Scalar::kInt32:
    case Scalar::kInt64: return value.IsInt();
    case Scalar::kIntOrString: return value.IsInt() || value.IsString();
    case Scalar::kDouble: return value.IsInt() || value.type() == Json::Type::kDouble;
    case Scalar::kAny: return true;
    default: break;
  }
  return value.IsString() &&
         (field.enum_values.empty() || std::find(field.enum_values.begin(), field.enum_values.end(),
                                                 value.AsString()) != field.enum_values.end());
}

}  // namespace

class SchemaLoader {
 public:
  // Of a schema that has all of `base`, if there is one.
  explicit SchemaLoader(const SchemaPtr& base);

  Status Declare(const Schema::Source& source);
  Status DefineMessages();
  Status DefineKinds();
  Result<SchemaPtr> Finish();

 private:
  using Enum = std::vector<std::string>;

  struct File {
    std::string name;
    std::string package;      // "core/v1"
    std::string api_version;  // "v1"; empty if the file has no kinds
    TypeNode tree;
  };

  static Status Error(const File& file, const TypeNode& at, std::string_view message) {
    return TypeFileError(file.name, at.line, message);
  }

  static std::string Key(std::string_view first, std::string_view second) {
    return std::string(first) + " " + std::string(second);
  }
  // "meta/v1.ObjectMeta" or "PodSpec" of the same package.
  static std::string QualifiedKey(const File& file, std::string_view type);

  Status DeclareEnums(const File& file, const TypeNode& enums);
  Status DeclareMessages(const File& file, const TypeNode& messages);

  Status DefineMessage(const File& file, const std::string& name, const TypeNode& node);
  Result<Field> DefineField(const File& file, const std::string& name, const TypeNode& node);
  Status SetType(const File& file, const TypeNode& node, Field& field);
  Status SetAttribute(const File& file, const std::string& key, const TypeNode& node, Field& field);
  Status SetMerging(const File& file, const std::string& key, const TypeNode& node, Field& field);
  Status CheckField(const File& file, const TypeNode& node, const Field& field);
  Status CheckKeys(const File& file, const TypeNode& node);

  Status DefineKind(const File& file, const std::string& name, const TypeNode& node);
  Status SetKindAttribute(const File& file, const std::string& key, const TypeNode& node,
                          Kind& kind);
  Result<Column> DefineColumn(const File& file, const TypeNode& node);

  static Result<std::string> Text(const File& file, const TypeNode& node);
  static Result<std::vector<std::string>> Texts(const File& file, const TypeNode& node);
  static Result<bool> Bool(const File& file, const TypeNode& node);
  static Result<int64_t> Integer(const File& file, const TypeNode& node);

  std::vector<File> files_;
  std::shared_ptr<Schema> schema_{new Schema()};
  std::map<std::string, Message*, std::less<>> messages_;  // of these files
};

SchemaLoader::SchemaLoader(const SchemaPtr& base) {
  if (base == nullptr) return;
  schema_->base_ = base;
  schema_->version_ = base->version_;
  schema_->kinds_ = base->kinds_;
  schema_->enums_ = base->enums_;
  schema_->by_kind_ = base->by_kind_;
  schema_->by_path_ = base->by_path_;
  schema_->by_message_ = base->by_message_;
}

// scalars

Result<std::string> SchemaLoader::Text(const File& file, const TypeNode& node) {
  if (node.kind != TypeNode::Kind::kScalar) return Error(file, node, "a text is expected here");
  return node.text;
}

Result<std::vector<std::string>> SchemaLoader::Texts(const File& file, const TypeNode& node) {
  if (node.kind != TypeNode::Kind::kList) return Error(file, node, "a list is expected here");
  std::vector<std::string> texts;
  for (const TypeNode& child : node.children) {
    ASSIGN_OR_RETURN(std::string text, Text(file, child));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<bool> SchemaLoader::Bool(const File& file, const TypeNode& node) {
  if (node.text == "true" || node.text == "false") return node.text == "true";
  return Error(file, node, "true or false is expected here");
}

Result<int64_t> SchemaLoader::Integer(const File& file, const TypeNode& node) {
  if (const auto value = ReadInteger(node.text)) return *value;
  return Error(file, node, "an integer is expected here");
}

// first pass

Status SchemaLoader::Declare(const Schema::Source& source) {
  File file;
  file.name = source.name;
  for (const char c : source.text) schema_->version_ = Mixed(schema_->version_, c);
  ASSIGN_OR_RETURN(file.tree, ReadTypeTree(source.name, source.text));
  const TypeNode& tree = file.tree;
  if (tree.kind != TypeNode::Kind::kMap) return Error(file, tree, "the file must be a map");
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const TypeNode& node = tree.children[i];
    const bool is_text = key == "package" || key == "apiVersion";
    if (!is_text && key != "enums" && key != "kinds" && key != "messages") {
      return Error(file, node, "unknown section " + key);
    }
    const auto kind = is_text ? TypeNode::Kind::kScalar : TypeNode::Kind::kMap;
    if (node.kind != kind)
      return Error(file, node, key + " must be a " + (is_text ? "text" : "map"));
  }
  if (tree.Find("package") == nullptr) return Error(file, tree, "the file names no package");
  file.package = tree.Find("package")->text;
  if (const TypeNode* node = tree.Find("apiVersion")) file.api_version = node->text;
  if (const TypeNode* node = tree.Find("enums")) RETURN_IF_ERROR(DeclareEnums(file, *node));
  if (const TypeNode* node = tree.Find("messages")) RETURN_IF_ERROR(DeclareMessages(file, *node));
  files_.push_back(std::move(file));
  return Status();
}

Status SchemaLoader::DeclareEnums(const File& file, const TypeNode& enums) {
  for (size_t i = 0; i < enums.keys.size(); ++i) {
    ASSIGN_OR_RETURN(Enum values, Texts(file, enums.children[i]));
    if (values.empty()) return Error(file, enums.children[i], "an enumeration needs values");
    if (!schema_->enums_.emplace(Key(file.package, enums.keys[i]), std::move(values)).second) {
      return Error(file, enums.children[i], enums.keys[i] + " is declared twice");
    }
  }
  return Status();
}

Status SchemaLoader::DeclareMessages(const File& file, const TypeNode& messages) {
  for (size_t i = 0; i < messages.keys.size(); ++i) {
    auto message = std::make_unique<Message>();
    message->name = messages.keys[i];
    message->group = file.package;
    const std::string key = Key(file.package, messages.keys[i]);
    if (schema_->enums_.count(key) != 0 ||
        !schema_->by_message_.emplace(key, message.get()).second) {
      return Error(file, messages.children[i], messages.keys[i] + " is declared twice");
    }
    messages_.emplace(key, message.get());
    schema_->messages_.push_back(std::move(message));
  }
  return Status();
}

// second pass

Status SchemaLoader::DefineMessages() {
  for (const File& file : files_) {
    const TypeNode* messages = file.tree.Find("messages");
    if (messages == nullptr) continue;
    for (size_t i = 0; i < messages->keys.size(); ++i) {
      RETURN_IF_ERROR(DefineMessage(file, messages->keys[i], messages->children[i]));
    }
  }
  for (const File& file : files_) {
    if (const TypeNode* messages = file.tree.Find("messages")) {
      RETURN_IF_ERROR(CheckKeys(file, *messages));
    }
  }
  return Status();
}

Status SchemaLoader::DefineMessage(const File& file, const std::string& name,
                                   const TypeNode& node) {
  if (node.kind != TypeNode::Kind::kMap)
    return Error(file, node, name + " must be a map of fields");
  Message& message = *messages_.find(Key(file.package, name))->second;
  std::set<uint32_t> numbers;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i] == "preserveUnknown") {
      ASSIGN_OR_RETURN(message.preserve_unknown, Bool(file, node.children[i]));
      continue;
    }
    if (node.keys[i] == "atomic") {
      ASSIGN_OR_RETURN(message.atomic, Bool(file, node.children[i]));
      continue;
    }
    ASSIGN_OR_RETURN(Field field, DefineField(file, node.keys[i], node.children[i]));
    if (field.number != 0 && !numbers.insert(field.number).second) {
      return Error(file, node.children[i],
                   "two fields have number " + std::to_string(field.number));
    }
    message.fields.push_back(std::move(field));
  }
  std::sort(message.fields.begin(), message.fields.end(),
            [](const Field& a, const Field& b) { return a.name < b.name; });
  return Status();
}

Result<Field> SchemaLoader::DefineField(const File& file, const std::string& name,
                                        const TypeNode& node) {
  if (node.kind != TypeNode::Kind::kMap) {
    return Error(file, node, "the field " + name + " must be a map");
  }
  Field field;
  field.name = name;
  const TypeNode* type = node.Find("type");
  if (type == nullptr) return Error(file, node, "the field " + name + " has no type");
  RETURN_IF_ERROR(SetType(file, *type, field));
  for (size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i] == "type") continue;
    RETURN_IF_ERROR(SetAttribute(file, node.keys[i], node.children[i], field));
  }
  RETURN_IF_ERROR(CheckField(file, node, field));
  return field;
}

std::string SchemaLoader::QualifiedKey(const File& file, std::string_view type) {
  const size_t dot = type.rfind('.');
  if (dot == std::string_view::npos) return Key(file.package, type);
  return Key(type.substr(0, dot), type.substr(dot + 1));
}

Status SchemaLoader::SetType(const File& file, const TypeNode& node, Field& field) {
  std::string_view type = node.text;
  if (type.starts_with("list ")) {
    field.shape = Shape::kList;
    type.remove_prefix(5);
  } else if (type.starts_with("map ")) {
    field.shape = Shape::kMap;
    type.remove_prefix(4);
  }
  if (field.shape != Shape::kList) field.list_type = ListType::kMap;
  for (const ScalarName& entry : kScalarNames) {
    if (entry.name != type) continue;
    field.scalar = entry.scalar;
    return Status();
  }
  const std::string key = QualifiedKey(file, type);
  if (const auto it = schema_->enums_.find(key); it != schema_->enums_.end()) {
    field.enum_values = it->second;
    return Status();
  }
  const auto it = schema_->by_message_.find(key);
  if (it == schema_->by_message_.end())
    return Error(file, node, "unknown type " + std::string(type));
  field.scalar = Scalar::kMessage;
  field.message = it->second;
  return Status();
}

Status SchemaLoader::SetAttribute(const File& file, const std::string& key, const TypeNode& node,
                                  Field& field) {
  constexpr std::pair<std::string_view, bool Field::*> kFlags[] = {{"required", &Field::required},
                                                                   {"immutable", &Field::immutable},
                                                                   {"ignored", &Field::ignored},
                                                                   {"presence", &Field::presence},
                                                                   {"inline", &Field::inlined}};
  for (const auto& [name, member] : kFlags) {
    if (key != name) continue;
    ASSIGN_OR_RETURN(field.*member, Bool(file, node));
    return Status();
  }
  constexpr std::pair<std::string_view, std::optional<int64_t> Field::*> kLimits[] = {
      {"min", &Field::minimum}, {"max", &Field::maximum}, {"maxLength", &Field::max_length}};
  for (const auto& [name, member] : kLimits) {
    if (key != name) continue;
    ASSIGN_OR_RETURN(field.*member, Integer(file, node));
    return Status();
  }
  if (key == "number") {
    ASSIGN_OR_RETURN(const int64_t number, Integer(file, node));
    if (number < 1 || number >= 1 << 29) return Error(file, node, "no protobuf field number");
    field.number = static_cast<uint32_t>(number);
    return Status();
  }
  if (key == "default") {
    field.default_value = ReadDefault(node, field.scalar);
    return Status();
  }
  if (key == "format") {
    if (!IsFormat(node.text)) return Error(file, node, "unknown format " + node.text);
    field.format = node.text;
    return Status();
  }
  if (key == "partly") {
    field.partly = node.text;
    return Status();
  }
  if (key == "partlyFor") {
    ASSIGN_OR_RETURN(field.partly_for, Texts(file, node));
    return Status();
  }
  return SetMerging(file, key, node, field);
}

Status SchemaLoader::SetMerging(const File& file, const std::string& key, const TypeNode& node,
                                Field& field) {
  if (key == "keys") {
    field.list_type = ListType::kMap;
    ASSIGN_OR_RETURN(field.list_keys, Texts(file, node));
    return Status();
  }
  if (key == "set" || key == "atomic") {
    ASSIGN_OR_RETURN(const bool yes, Bool(file, node));
    if (yes) field.list_type = key == "set" ? ListType::kSet : ListType::kAtomic;
    return Status();
  }
  if (key == "merge") {
    field.patch_merge = true;
    if (node.text != "true") field.patch_merge_key = node.text;
    return Status();
  }
  if (key == "retainKeys") {
    ASSIGN_OR_RETURN(field.patch_retain_keys, Bool(file, node));
    return Status();
  }
  return Error(file, node, "unknown attribute " + key);
}

Status SchemaLoader::CheckField(const File& file, const TypeNode& node, const Field& field) {
  const auto refuse = [&](std::string_view why) {
    return Error(file, node, "the field " + field.name + " " + std::string(why));
  };
  if (field.inlined && (field.scalar != Scalar::kMessage || field.shape != Shape::kSingle)) {
    return refuse("is inline, so its type must be one message");
  }
  if ((field.minimum || field.maximum) && !IsNumeric(field.scalar)) {
    return refuse("has a range, but holds no number");
  }
  if (field.presence &&
      (field.number == 0 || field.shape != Shape::kSingle || field.scalar == Scalar::kMessage)) {
    return refuse("has presence, but is no single value with a number");
  }
  if (!field.partly_for.empty() && field.partly.empty()) {
    return refuse("has values that are acted on in part, but not what is missing: add partly");
  }
  if (!field.format.empty() && field.scalar != Scalar::kString &&
      field.scalar != Scalar::kIntOrString) {
    return refuse("has a format, but holds no text");
  }
  if ((!field.list_keys.empty() || field.patch_merge || field.list_type == ListType::kSet) &&
      field.shape != Shape::kList) {
    return refuse("has keys or a merge, but is no list");
  }
  if (field.list_type == ListType::kSet && field.scalar == Scalar::kMessage) {
    return refuse("is a set, but of messages; give it keys");
  }
  if (field.default_value && !DefaultFits(field, *field.default_value)) {
    return refuse("has a default that does not fit its type");
  }
  return Status();
}

// List keys and merge keys are fields of the list's message, which the pass before has filled in.
Status SchemaLoader::CheckKeys(const File& file, const TypeNode& messages) {
  for (size_t i = 0; i < messages.keys.size(); ++i) {
    for (const Field& field : messages_.find(Key(file.package, messages.keys[i]))->second->fields) {
      std::vector<std::string> keys = field.list_keys;
      if (!field.patch_merge_key.empty()) keys.push_back(field.patch_merge_key);
      for (const std::string& key : keys) {
        if (field.message != nullptr && field.message->Find(key) != nullptr) continue;
        const TypeNode* at = messages.children[i].Find(field.name);
        return Error(file, *at, "the field " + field.name + " has no element field " + key);
      }
    }
  }
  return Status();
}

// third pass

Status SchemaLoader::DefineKinds() {
  for (const File& file : files_) {
    const TypeNode* kinds = file.tree.Find("kinds");
    if (kinds == nullptr) continue;
    if (file.api_version.empty())
      return Error(file, *kinds, "the file has kinds but no apiVersion");
    for (size_t i = 0; i < kinds->keys.size(); ++i) {
      RETURN_IF_ERROR(DefineKind(file, kinds->keys[i], kinds->children[i]));
    }
  }
  return Status();
}

Status SchemaLoader::DefineKind(const File& file, const std::string& name, const TypeNode& node) {
  auto kind = std::make_unique<Kind>();
  const size_t slash = file.api_version.find('/');
  if (slash != std::string::npos) kind->group = file.api_version.substr(0, slash);
  kind->version = file.api_version.substr(slash == std::string::npos ? 0 : slash + 1);
  kind->kind = name;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    RETURN_IF_ERROR(SetKindAttribute(file, node.keys[i], node.children[i], *kind));
  }
  const auto root = schema_->by_message_.find(Key(file.package, name));
  if (root == schema_->by_message_.end()) return Error(file, node, "there is no message " + name);
  kind->root = root->second;
  if (kind->plural.empty()) return Error(file, node, name + " has no plural");
  if (kind->root->Find("metadata") == nullptr) {
    return Error(file, node, "the message " + name + " has no metadata");
  }
  const bool fresh =
      schema_->by_kind_.emplace(Key(file.api_version, name), kind.get()).second &&
      schema_->by_path_.emplace(Key(file.api_version, kind->plural), kind.get()).second;
  if (!fresh) return Error(file, node, name + " is declared twice");
  schema_->owned_kinds_.push_back(std::move(kind));
  return Status();
}

Status SchemaLoader::SetKindAttribute(const File& file, const std::string& key,
                                      const TypeNode& node, Kind& kind) {
  constexpr std::pair<std::string_view, std::string Kind::*> kTexts[] = {
      {"plural", &Kind::plural}, {"singular", &Kind::singular}};
  for (const auto& [name, member] : kTexts) {
    if (key != name) continue;
    ASSIGN_OR_RETURN(kind.*member, Text(file, node));
    return Status();
  }
  constexpr std::pair<std::string_view, std::vector<std::string> Kind::*> kLists[] = {
      {"shortNames", &Kind::short_names},
      {"categories", &Kind::categories},
      {"subresources", &Kind::subresources}};
  for (const auto& [name, member] : kLists) {
    if (key != name) continue;
    ASSIGN_OR_RETURN(kind.*member, Texts(file, node));
    return Status();
  }
  if (key == "scope") {
    if (node.text != "Namespaced" && node.text != "Cluster") {
      return Error(file, node, "the scope must be Namespaced or Cluster");
    }
    kind.namespaced = node.text == "Namespaced";
    return Status();
  }
  constexpr std::pair<std::string_view, bool Kind::*> kFlags[] = {{"generation", &Kind::generation},
                                                                  {"ignored", &Kind::ignored}};
  for (const auto& [name, member] : kFlags) {
    if (key != name) continue;
    ASSIGN_OR_RETURN(kind.*member, Bool(file, node));
    return Status();
  }
  if (key == "storage") {
    ASSIGN_OR_RETURN(kind.storage, Bool(file, node));
    return Status();
  }
  if (key == "fieldSelectors") {
    for (size_t i = 0; i < node.keys.size(); ++i) {
      kind.field_selectors.emplace(node.keys[i], node.children[i].text);
    }
    return Status();
  }
  if (key == "columns") {
    for (const TypeNode& child : node.children) {
      ASSIGN_OR_RETURN(Column column, DefineColumn(file, child));
      kind.columns.push_back(std::move(column));
    }
    return Status();
  }
  return Error(file, node, "unknown attribute " + key + " of a kind");
}

Result<Column> SchemaLoader::DefineColumn(const File& file, const TypeNode& node) {
  Column column;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i];
    const TypeNode& value = node.children[i];
    if (key == "name") {
      column.name = value.text;
    } else if (key == "type") {
      column.type = value.text;
    } else if (key == "format") {
      column.format = value.text;
    } else if (key == "path") {
      column.path = value.text;
    } else if (key == "priority") {
      ASSIGN_OR_RETURN(const int64_t priority, Integer(file, value));
      column.priority = static_cast<int>(priority);
    } else {
      return Error(file, value, "unknown attribute " + key + " of a column");
    }
  }
  if (column.name.empty() || column.type.empty() ||
      !(column.path.starts_with('.') || column.path.starts_with('='))) {
    return Error(file, node,
                 "a column needs a name, a type, and a path from '.' or a rule from '='");
  }
  return column;
}

// A kind with several versions says which of them is stored.
Result<SchemaPtr> SchemaLoader::Finish() {
  for (const auto& kind : schema_->owned_kinds_) schema_->kinds_.push_back(kind.get());
  std::sort(schema_->kinds_.begin(), schema_->kinds_.end(), [](const Kind* a, const Kind* b) {
    return std::tie(a->group, a->version, a->plural) < std::tie(b->group, b->version, b->plural);
  });
  std::map<std::string, std::pair<int, int>> versions;  // of a resource; which say that of them
  for (const Kind* kind : schema_->kinds_) {
    const Kind*& stored = schema_->by_resource_[kind->Resource()];
    if (stored == nullptr || kind->storage) stored = kind;
    auto& [all, storing] = versions[kind->Resource()];
    ++all;
    storing += kind->storage;
  }
  for (const auto& [resource, counts] : versions) {
    if (counts.first == 1 || counts.second == 1) continue;
    return Status(base::Code::kInvalid,
                  resource + " has several versions; one of them needs storage: true");
  }
  return SchemaPtr(schema_);
}

Result<SchemaPtr> Schema::Load(const std::vector<Source>& sources) {
  return LoadOver(nullptr, sources);
}

Result<SchemaPtr> Schema::With(const std::vector<Source>& sources) const {
  return LoadOver(shared_from_this(), sources);
}

Result<SchemaPtr> Schema::LoadOver(const SchemaPtr& base, const std::vector<Source>& sources) {
  SchemaLoader loader(base);
  for (const Source& source : sources) RETURN_IF_ERROR(loader.Declare(source));
  RETURN_IF_ERROR(loader.DefineMessages());
  RETURN_IF_ERROR(loader.DefineKinds());
  return loader.Finish();
}

}  // namespace manifests
