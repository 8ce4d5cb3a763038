// A document is an object if it has an apiVersion and a kind; what lies among manifests without
// being one is an error, since a misspelt "kind" must not silently deploy nothing. A list (kind
// List, or any kind ...List with items) stands for its items. One key twice is an error at the
// second place that names the first.
//
// Work and memory follow what was sent: what aliases stand for is counted over all files of a
// commit, a file that stands at many paths counts at each, and reading ends where a limit is
// passed.
#include "gitsync/render/manifest_set.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

namespace gitsync {
namespace {

using base::Json;
using manifests::YamlCost;

constexpr size_t kMaxListDepth = 4;  // lists in lists
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";

// What a value takes besides itself.
size_t HeapOf(const Json& json) {
  const auto text = [](size_t bytes) { return bytes < sizeof(std::string) / 2 ? 0 : bytes + 1; };
  size_t heap = json.IsString() ? text(json.AsString().size()) : 0;
  heap += json.Elements().capacity() * sizeof(Json);
  for (const Json& element : json.Elements()) heap += HeapOf(element);
  heap += json.Members().capacity() * sizeof(Json::Member);
  for (const auto& [key, value] : json.Members()) heap += text(key.size()) + HeapOf(value);
  return heap;
}

size_t SizeOf(const ParsedFile& file) {
  size_t size = sizeof file + file.objects.capacity() * sizeof(Json) +
                file.errors.capacity() * sizeof(manifests::TextError);
  for (const Json& object : file.objects) size += HeapOf(object);
  for (const manifests::TextError& error : file.errors) size += error.message.capacity();
  return size;
}

size_t ValuesIn(const Json& json) {
  size_t values = 1;
  for (const Json& element : json.Elements()) values += ValuesIn(element);
  for (const auto& [key, value] : json.Members()) values += ValuesIn(value);
  return values;
}

// ParseJson says "line 3, column 7: ..."; this takes the place off.
manifests::TextError FromJsonError(std::string_view message) {
  manifests::TextError error{{1, 1}, std::string(message)};
  constexpr std::string_view kLine = "line ", kColumn = ", column ";
  if (!message.starts_with(kLine)) return error;
  const char* end = message.data() + message.size();
  const auto line = std::from_chars(message.data() + kLine.size(), end, error.mark.line);
  std::string_view rest(line.ptr, static_cast<size_t>(end - line.ptr));
  if (!rest.starts_with(kColumn)) return error;
  const auto column = std::from_chars(rest.data() + kColumn.size(), end, error.mark.column);
  rest = std::string_view(column.ptr, static_cast<size_t>(end - column.ptr));
  if (rest.starts_with(": ")) error.message = rest.substr(2);
  return error;
}

void AddObject(const Json& document, size_t depth, ParsedFile& file) {
  const auto complain = [&](base::Mark mark, std::string message) {
    file.errors.push_back(manifests::TextError{mark, std::move(message)});
  };
  const std::string_view kind = document["kind"].AsString();
  if (document["apiVersion"].AsString().empty() || kind.empty()) {
    complain(document.mark,
             "this document has no apiVersion and kind, so it is no Kubernetes object; correct it, "
             "or if it is no manifest move the file out of what is deployed or list it in "
             ".sourceignore");
    return;
  }
  if (!kind.ends_with("List") || !document["items"].IsArray()) {
    file.objects.push_back(document);
    return;
  }
  if (depth == kMaxListDepth) {
    complain(document.mark, "lists may hold lists " + std::to_string(kMaxListDepth) +
                                " deep; write the objects as documents of their own");
    return;
  }
  for (const Json& item : document["items"].Elements()) AddObject(item, depth + 1, file);
}

ParsedFile ParseJsonFile(std::string_view text, const YamlCost& most) {
  ParsedFile file;
  const base::Result<Json> parsed = base::ParseJson(text);
  if (!parsed.ok()) {
    file.errors.push_back(FromJsonError(parsed.status().message()));
    return file;
  }
  file.cost.values = ValuesIn(*parsed);
  file.exceeded = !file.cost.Within(most);
  if (!file.exceeded) AddObject(*parsed, 0, file);
  return file;
}

YamlCost Sum(const YamlCost& a, const YamlCost& b) {
  return {a.values + b.values, a.copied_values + b.copied_values, a.copied_bytes + b.copied_bytes};
}

std::string TooCostly() {
  return "with this file the manifests of the commit pass " +
         std::to_string(kMaxManifestCost.values) + " values, or " +
         std::to_string(kMaxManifestCost.copied_values) + " values or " +
         std::to_string(kMaxManifestCost.copied_bytes) +
         " bytes that aliases stand for; write out what they stand for, or split the repository";
}

// No more than one file may have, or than is left.
YamlCost LesserOf(const YamlCost& a, const YamlCost& b) {
  return {std::min(a.values, b.values), std::min(a.copied_values, b.copied_values),
          std::min(a.copied_bytes, b.copied_bytes)};
}

ParsedFile Parse(std::string_view text, bool json, const YamlCost& most) {
  if (text.starts_with(kLfsPointer)) {
    ParsedFile pointer;
    pointer.errors.push_back(
        {{1, 1},
         "this is a pointer of Git LFS, not the file that it stands for, which plumb does not "
         "have; keep manifests out of LFS (git lfs migrate export --include=PATTERN)"});
    return pointer;
  }
  if (json) return ParseJsonFile(text, most);
  ParsedFile file;
  const YamlCost given = LesserOf(manifests::kMaxYamlCost, most);
  manifests::YamlFile yaml = manifests::ParseYaml(text, given);
  file.errors = std::move(yaml.errors);
  file.cost = yaml.cost;
  // What is too much for any commit is an error of its own.
  file.exceeded = yaml.exceeded && yaml.cost.Within(manifests::kMaxYamlCost);
  if (file.exceeded) return file;
  for (const Json& document : yaml.documents) AddObject(document, 0, file);
  std::stable_sort(file.errors.begin(), file.errors.end(),
                   [](const auto& a, const auto& b) { return a.mark < b.mark; });
  return file;
}

// A kind that exists under another apiVersion was most likely meant.
std::string UnknownKind(const manifests::Schema& schema, std::string_view version,
                        std::string_view name) {
  std::string message = "no kind " + std::string(name) + " is known in " + std::string(version);
  for (const manifests::Kind* kind : schema.kinds()) {
    if (kind->kind == name) return message + "; write apiVersion: " + kind->ApiVersion();
  }
  return message + "; correct the name, or install its definition first";
}

class SetReader {
 public:
  SetReader(const ApplicationScope& scope, const manifests::Schema& schema)
      : scope_(scope), schema_(schema) {}

  void AddFile(const std::string& path, const std::shared_ptr<const ParsedFile>& file) {
    for (const manifests::TextError& error : file->errors) {
      set_.errors.push_back(SourceError{path, error.mark, error.message});
    }
    for (const Json& object : file->objects) {
      // Shares the file's life: one pointer an object, no copy.
      AddManifest(path, std::shared_ptr<const Json>(file, &object));
    }
  }

  void Refuse(const std::string& path, std::string message) {
    set_.errors.push_back(SourceError{path, {}, std::move(message)});
  }

  // So many that the rest need not be read: the last of the errors says so.
  bool IsTooMuch(const std::string& path) {
    if (set_.manifests.size() > kMaxManifests) {
      RefuseCount(path);
    } else if (set_.errors.size() >= kMaxSourceErrors) {
      Refuse(path, "with this file the commit has more than " + std::to_string(kMaxSourceErrors) +
                       " mistakes; the rest was not read");
    } else {
      return false;
    }
    return ended_ = true;
  }

  // What was there before, in order.
  void Keep(std::vector<Manifest> manifests) {
    set_.manifests = std::move(manifests);
    kept_ = set_.manifests.size();
  }

  ManifestSet Finish() {
    auto& all = set_.manifests;
    const auto by_key = [](const Manifest& a, const Manifest& b) { return a.key < b.key; };
    const auto added = all.begin() + static_cast<ptrdiff_t>(kept_);
    std::stable_sort(added, all.end(), by_key);
    std::inplace_merge(all.begin(), added, all.end(), by_key);
    for (size_t i = 1; i < all.size(); ++i) {
      if (all[i].key != all[i - 1].key) continue;
      const base::Mark first = all[i - 1].object->mark;
      set_.errors.push_back(
          all[i].Error(all[i].object->mark,
                       all[i].key.ToString() + " is written twice, first at " +
                           SourceError{all[i - 1].path, first, "keep one of them"}.ToString()));
    }
    all.erase(std::unique(all.begin(), all.end(),
                          [](const Manifest& a, const Manifest& b) { return a.key == b.key; }),
              all.end());
    if (all.size() > kMaxManifests && !ended_) {
      RefuseCount(all.back().path);
    }
    std::stable_sort(set_.errors.begin(), set_.errors.end(),
                     [](const SourceError& a, const SourceError& b) {
                       return std::tie(a.path, a.mark) < std::tie(b.path, b.mark);
                     });
    return std::move(set_);
  }

 private:
  void RefuseCount(const std::string& path) {
    Refuse(path, "the commit has " + std::to_string(set_.manifests.size()) +
                     " objects, and a repository may have " + std::to_string(kMaxManifests) +
                     "; split it");
  }

  void AddManifest(const std::string& path, std::shared_ptr<const Json> object) {
    Manifest manifest{{}, nullptr, std::move(object), path};
    const Json& json = *manifest.object;
    const auto refuse = [&](base::Mark mark, std::string message) {
      set_.errors.push_back(manifest.Error(mark, std::move(message)));
    };
    const std::string_view version = json["apiVersion"].AsString();
    manifest.kind = schema_.FindKind(version, json["kind"].AsString());
    if (manifest.kind == nullptr) {
      return refuse(json["kind"].mark, UnknownKind(schema_, version, json["kind"].AsString()));
    }
    const Json& metadata = json["metadata"];
    const Json& name = metadata["name"];
    if (!name.IsNull() && !name.IsString()) {
      return refuse(name.mark, "metadata.name: a name is text, and " + name.ToString() +
                                   " is none to YAML; put it in quotes");
    }
    if (name.AsString().empty()) {
      const base::Mark mark = metadata.IsObject() ? metadata.mark : json.mark;
      return refuse(mark,
                    "metadata.name: what is deployed from Git needs a name of its own" +
                        std::string(metadata.Has("generateName") ? "; replace generateName by name"
                                                                 : "; add one"));
    }
    manifest.key = state::Key{manifest.kind->Resource(), "", std::string(name.AsString())};
    const Json& ns = metadata["namespace"];
    if (manifest.kind->namespaced) {
      manifest.key.ns = !scope_.target_namespace.empty() ? scope_.target_namespace
                        : ns.AsString().empty()          ? scope_.default_namespace
                                                         : ns.AsString();
    }
    if (std::string denied = Denied(manifest.key); !denied.empty()) {
      return refuse(ns.IsString() ? ns.mark : name.mark, std::move(denied));
    }
    set_.manifests.push_back(std::move(manifest));
  }

  // Why the repository may not touch this object; empty if it may.
  std::string Denied(const state::Key& key) const {
    if (scope_.Covers(key)) return "";
    const bool is_namespace = key.resource == "namespaces";
    if (key.ns.empty() && !is_namespace) {
      return "this repository may touch " + AllowedNames() + " only, and " + key.resource +
             " belong to the whole cluster; deploy it from " + "another repository";
    }
    const std::string& ns = is_namespace ? key.name : key.ns;
    return "this repository may not touch namespace " + ns + ", only " + AllowedNames() +
           (ns == scope_.target_namespace && !is_namespace
                ? "; correct spec.targetNamespace of the Kustomization"
                : "; correct metadata.namespace, or allow it with plumb repo");
  }

  std::string AllowedNames() const {
    if (scope_.namespaces.empty()) return "any but " + std::string(kSystemNamespace);
    std::string names;
    for (const std::string& ns : scope_.namespaces) names += (names.empty() ? "" : ", ") + ns;
    return names;
  }

  const ApplicationScope& scope_;
  const manifests::Schema& schema_;
  ManifestSet set_;
  size_t kept_ = 0;
  bool ended_ = false;  // before all was read
};

}  // namespace

bool ApplicationScope::Allows(std::string_view ns) const {
  if (namespaces.empty()) return ns != kSystemNamespace;
  return std::find(namespaces.begin(), namespaces.end(), ns) != namespaces.end();
}

bool ApplicationScope::Covers(const state::Key& key) const {
  if (key.resource == "namespaces") return Allows(key.name);
  return key.ns.empty() ? namespaces.empty() : Allows(key.ns);
}

bool ManifestBudget::Spend(const YamlCost& cost) {
  if (!cost.Within(left_)) {
    Exceed();
    return false;
  }
  left_.values -= cost.values;
  left_.copied_values -= cost.copied_values;
  left_.copied_bytes -= cost.copied_bytes;
  return true;
}

void ManifestBudget::Exceed() {
  left_ = {};
  exceeded_ = true;
}

base::Result<std::shared_ptr<const ParsedFile>> ParseCache::Get(const ManifestFile& file,
                                                                const ReadBlobFunction& read,
                                                                const YamlCost& most) {
  const bool json = file.path.ends_with(".json");
  const std::string id = (json ? "json " : "yaml ") + file.oid;
  if (const auto known = entries_.find(id); known != entries_.end()) {
    known->second.round = round_;
    return known->second.file;
  }
  ASSIGN_OR_RETURN(const std::string text, read(file.oid));
  auto parsed = std::make_shared<const ParsedFile>(Parse(text, json, most));
  ++parsed_;
  // With more to spend it may be read whole.
  if (parsed->exceeded) return std::shared_ptr<const ParsedFile>(std::move(parsed));
  Entry& entry = entries_[id];
  entry = {std::move(parsed), 0, round_};
  entry.bytes = SizeOf(*entry.file);
  bytes_ += entry.bytes;
  return entry.file;
}

void ParseCache::EndRound() {
  ++round_;
  if (bytes_ <= max_bytes_) return;
  std::vector<std::pair<uint64_t, std::string>> oldest;
  for (const auto& [id, entry] : entries_) oldest.emplace_back(entry.round, id);
  std::sort(oldest.begin(), oldest.end());
  for (const auto& [round, id] : oldest) {
    if (bytes_ <= max_bytes_) return;
    bytes_ -= entries_[id].bytes;
    entries_.erase(id);
  }
}

const Manifest* ManifestSet::Find(const state::Key& key) const {
  const auto at =
      std::lower_bound(manifests.begin(), manifests.end(), key,
                       [](const Manifest& m, const state::Key& k) { return m.key < k; });
  return at != manifests.end() && at->key == key ? &*at : nullptr;
}

base::Result<ManifestSet> ReadManifests(const Discovery& discovery, const ApplicationScope& scope,
                                        const manifests::SchemaPtr& schema, ParseCache& cache,
                                        const ReadBlobFunction& read, ManifestBudget& budget) {
  SetReader reader(scope, *schema);
  size_t bytes = 0;
  YamlCost cost;
  for (const SourceError& error : discovery.errors) reader.Refuse(error.path, error.message);
  for (const ManifestFile& file : discovery.files) {
    bytes += file.size;
    if (file.size > kMaxBlobBytes) {
      reader.Refuse(file.path, "the file has " + std::to_string(file.size) +
                                   " bytes, and a manifest may have " +
                                   std::to_string(kMaxBlobBytes) + "; split it");
      continue;
    }
    if (bytes > kMaxManifestBytes) {
      reader.Refuse(file.path, "with this file the manifests of the commit pass " +
                                   std::to_string(kMaxManifestBytes) +
                                   " bytes; split the repository");
      break;
    }
    ASSIGN_OR_RETURN(const std::shared_ptr<const ParsedFile> parsed,
                     cache.Get(file, read, budget.left()));
    if (parsed->exceeded) budget.Exceed();
    if (parsed->exceeded || !budget.Spend(parsed->cost)) {
      reader.Refuse(file.path, TooCostly());
      break;
    }
    cost = Sum(cost, parsed->cost);
    reader.AddFile(file.path, parsed);
    if (reader.IsTooMuch(file.path)) break;
  }
  cache.EndRound();
  ManifestSet set = reader.Finish();
  set.cost = cost;
  set.schema = schema;
  set.selection = discovery.selection;
  set.missing = discovery.missing;
  set.scope = scope;
  set.bytes = bytes;
  return set;
}

base::Result<ManifestSet> ReadManifests(const Discovery& discovery, const ApplicationScope& scope,
                                        const manifests::SchemaPtr& schema, ParseCache& cache,
                                        const ReadBlobFunction& read) {
  ManifestBudget budget;
  return ReadManifests(discovery, scope, schema, cache, read, budget);
}

base::Result<std::optional<ManifestSet>> PatchManifests(const ManifestSet& set,
                                                        const std::vector<TreeChange>& changes,
                                                        const manifests::SchemaPtr& schema,
                                                        ParseCache& cache,
                                                        const ReadBlobFunction& read,
                                                        ManifestBudget& budget) {
  if (set.selection == nullptr || !set.errors.empty()) return std::optional<ManifestSet>();
  if (set.schema->version() != schema->version()) return std::optional<ManifestSet>();
  uint64_t bytes = set.bytes;
  std::vector<std::string_view> gone;  // paths, in order
  std::vector<const TreeEntry*> come;
  for (const TreeChange& change : changes) {
    if (ChangesSelection(*set.selection, change)) return std::optional<ManifestSet>();
    if (!IsManifestName(change.path()) || !set.selection->Contains(change.path())) continue;
    if (change.before) gone.push_back(change.path());
    if (!change.after) continue;
    come.push_back(&*change.after);
    bytes += change.after->size;
    if (change.after->size > kMaxBlobBytes || bytes > kMaxManifestBytes) {
      return std::optional<ManifestSet>();
    }
  }
  std::vector<Manifest> kept;
  kept.reserve(set.manifests.size() + come.size());
  for (const Manifest& manifest : set.manifests) {
    if (!std::binary_search(gone.begin(), gone.end(), manifest.path)) kept.push_back(manifest);
  }
  SetReader reader(set.scope, *schema);
  reader.Keep(std::move(kept));
  ManifestBudget left = budget;
  if (!left.Spend(set.cost)) return std::optional<ManifestSet>();
  YamlCost cost = set.cost;
  for (const TreeEntry* entry : come) {
    ASSIGN_OR_RETURN(
        const std::shared_ptr<const ParsedFile> parsed,
        cache.Get(ManifestFile{entry->path, entry->oid, entry->size}, read, left.left()));
    if (parsed->exceeded || !left.Spend(parsed->cost)) return std::optional<ManifestSet>();
    cost = Sum(cost, parsed->cost);
    reader.AddFile(entry->path, parsed);
    if (reader.IsTooMuch(entry->path)) return std::optional<ManifestSet>();
  }
  cache.EndRound();
  ManifestSet patched = reader.Finish();
  patched.schema = set.schema;  // the kinds of what stays are its
  // Without manifests, manifests/ itself may be gone, and the whole repository meant again.
  if (!patched.errors.empty() || patched.manifests.empty()) return std::optional<ManifestSet>();
  budget = left;
  patched.selection = set.selection;
  patched.path = set.path;
  patched.scope = set.scope;
  patched.bytes = bytes;
  patched.cost = cost;
  return std::optional(std::move(patched));
}

}  // namespace gitsync
