#include "nodeagent/volumes/kinds/volume_kind.h"

#include <utility>
#include <vector>

#include "nodeagent/volumes/volumes.h"

namespace nodeagent {

const VolumeKind* FindVolumeKind(base::Value volume) {
  for (const VolumeKind* kind : AllVolumeKinds()) {
    if (volume[kind->field].Exists()) return kind;
  }
  return nullptr;
}

const VolumeKind* FindVolumeKind(std::string_view field) {
  for (const VolumeKind* kind : AllVolumeKinds()) {
    if (kind->field == field) return kind;
  }
  return nullptr;
}

std::string VolumeKindNames(const std::function<bool(const VolumeKind&)>& wanted) {
  std::vector<std::string_view> names;
  for (const VolumeKind* kind : AllVolumeKinds()) {
    if (wanted(*kind)) names.push_back(kind->field);
  }
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

base::Status AddFile(std::string_view path, std::string content, int64_t mode, VolumeFiles& files) {
  if (!IsPathBelow(path)) {
    return base::Status(base::Code::kInvalid, "path \"" + std::string(path) +
                                                  "\" leads out of the volume; write a relative "
                                                  "path without \"..\"");
  }
  files[std::string(path)] =
      FileContent{std::string(path), std::move(content), static_cast<uint32_t>(mode & 07777)};
  return {};
}

base::Status AddEntries(const Entries& entries, base::Value items, std::string_view kind,
                        std::string_view name, bool optional, int64_t mode, VolumeFiles& files) {
  if (items.empty()) {
    for (const auto& [key, value] : entries) RETURN_IF_ERROR(AddFile(key, value, mode, files));
    return {};
  }
  for (base::Value item : items.Elements()) {
    const auto found = entries.find(item["key"].AsString());
    if (found == entries.end()) {
      if (optional) continue;
      return MissingKey(kind, name, item["key"].AsString());
    }
    RETURN_IF_ERROR(
        AddFile(item["path"].AsString(), found->second, item["mode"].AsInt(mode), files));
  }
  return {};
}

}  // namespace nodeagent
