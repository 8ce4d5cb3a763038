#include "manifests/schema.h"

#include <algorithm>

namespace manifests {
namespace {

struct EmbeddedFile {
  const char* name;
  std::string_view text;
};
#include "embedded_types.inc"

template <typename Map>
auto FindIn(const Map& map, std::string_view first, std::string_view second) ->
    typename Map::mapped_type {
  std::string key;
  key.reserve(first.size() + 1 + second.size());
  key.append(first).append(1, ' ').append(second);
  const auto it = map.find(key);
  return it != map.end() ? it->second : nullptr;
}

}  // namespace

const Field* Message::Find(std::string_view field) const {
  const auto it = std::lower_bound(fields.begin(), fields.end(), field,
                                   [](const Field& a, std::string_view b) { return a.name < b; });
  if (it != fields.end() && it->name == field && !it->inlined) return &*it;
  for (const Field& inlined : fields) {
    if (!inlined.inlined) continue;
    if (const Field* found = inlined.message->Find(field)) return found;
  }
  return nullptr;
}

Schema::Schema() = default;
Schema::~Schema() = default;

SchemaPtr Schema::BuiltIn() {
  static const SchemaPtr kBuiltIn = [] {
    std::vector<Source> sources;
    for (const EmbeddedFile& file : kEmbeddedTypes) sources.push_back({file.name, file.text});
    auto schema = Load(sources);
    if (!schema.ok()) {
      base::CheckFailed(__FILE__, __LINE__, std::string(schema.status().message()).c_str());
    }
    return *schema;
  }();
  return kBuiltIn;
}

const Kind* Schema::FindKind(std::string_view api_version, std::string_view kind) const {
  return FindIn(by_kind_, api_version, kind);
}

const Kind* Schema::FindResource(std::string_view group, std::string_view version,
                                 std::string_view plural) const {
  if (group.empty()) return FindIn(by_path_, version, plural);
  std::string api_version(group);
  api_version.append(1, '/').append(version);
  return FindIn(by_path_, api_version, plural);
}

const Kind* Schema::FindByResource(std::string_view resource) const {
  const auto it = by_resource_.find(resource);
  return it != by_resource_.end() ? it->second : nullptr;
}

const Message* Schema::FindMessage(std::string_view group, std::string_view name) const {
  return FindIn(by_message_, group, name);
}

}  // namespace manifests
