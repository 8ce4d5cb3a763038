// Rules (Kubernetes API, "Volumes"):
// - ConfigMap, Secret, projected and downward API volumes are files; without `items` every key is
//   one. Among projected sources the later wins. An item's key that is missing is an error unless
//   the source is optional.
// - Secrets are kept in memory, and so are volumes that hold one.
// - A volume that names no kind is an emptyDir.
// - Modes: the item's, else the source's defaultMode, else 0644.
// - A version covers names, modes and contents, so that an unchanged volume is not written again.
#include "nodeagent/volumes/volumes.h"

#include <cstdio>
#include <map>
#include <utility>

#include "base/hash.h"
#include "manifests/quantity.h"
#include "nodeagent/downward_api.h"
#include "nodeagent/volumes/sources.h"

namespace nodeagent {
namespace {

constexpr int64_t kDefaultMode = 0644;

using Files = std::map<std::string, FileContent>;

base::Status AddFile(std::string_view path, std::string content, int64_t mode, Files& files) {
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
                        std::string_view name, bool optional, int64_t mode, Files& files) {
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

base::Status AddDownward(const PodContext& context, base::Value items, int64_t mode, Files& files) {
  for (base::Value item : items.Elements()) {
    base::Result<std::string> value =
        item["fieldRef"].Exists() ? FieldValue(context, item["fieldRef"]["fieldPath"].AsString())
                                  : ResourceValue(context, {}, item["resourceFieldRef"]);
    if (!value.ok()) return value.status();
    RETURN_IF_ERROR(
        AddFile(item["path"].AsString(), *std::move(value), item["mode"].AsInt(mode), files));
  }
  return {};
}

// One source: {configMap: ...}, {secret: ...} or {downwardAPI: ...}. A secret volume names its
// secret `secretName`, a projected one `name`.
base::Status AddSource(const PodContext& context, base::Value source, int64_t mode, Files& files) {
  if (const base::Value map = source["configMap"]; map.Exists()) {
    const std::string_view name = map["name"].AsString();
    const bool optional = map["optional"].AsBool();
    ASSIGN_OR_RETURN(const Entries entries, ConfigMapEntries(context, name, optional));
    return AddEntries(entries, map["items"], "configmap", name, optional, mode, files);
  }
  if (const base::Value secret = source["secret"]; secret.Exists()) {
    const std::string_view name = secret["secretName"].AsString(secret["name"].AsString());
    const bool optional = secret["optional"].AsBool();
    ASSIGN_OR_RETURN(const Entries entries, SecretEntries(context, name, optional));
    return AddEntries(entries, secret["items"], "secret", name, optional, mode, files);
  }
  if (const base::Value downward = source["downwardAPI"]; downward.Exists()) {
    return AddDownward(context, downward["items"], mode, files);
  }
  return base::Status(base::Code::kInvalid,
                      "a source is of a kind that is not served; use configMap, secret or "
                      "downwardAPI");
}

bool HoldsSecret(base::Value volume) {
  if (volume["secret"].Exists()) return true;
  for (base::Value source : volume["projected"]["sources"].Elements()) {
    if (source["secret"].Exists()) return true;
  }
  return false;
}

base::Result<Files> FilesOf(const PodContext& context, base::Value volume) {
  Files files;
  for (const char* kind : {"configMap", "secret", "downwardAPI"}) {
    if (!volume[kind].Exists()) continue;
    RETURN_IF_ERROR(
        AddSource(context, volume, volume[kind]["defaultMode"].AsInt(kDefaultMode), files));
  }
  const base::Value projected = volume["projected"];
  for (base::Value source : projected["sources"].Elements()) {
    RETURN_IF_ERROR(
        AddSource(context, source, projected["defaultMode"].AsInt(kDefaultMode), files));
  }
  return files;
}

std::string VersionOf(const VolumeWrite& volume) {
  std::string text = volume.group ? std::to_string(*volume.group) : "";
  for (const FileContent& file : volume.files) {
    text += '\0' + file.path + '\0' + std::to_string(file.mode) + '\0' +
            std::to_string(file.content.size()) + '\0' + file.content;
  }
  return base::Fingerprint(text + '\0' + volume.host_path);
}

base::Result<VolumeWrite> BuildVolume(const PodContext& context, base::Value volume) {
  VolumeWrite write;
  write.name = volume["name"].AsString();
  if (const base::Value host = volume["hostPath"]; host.Exists()) {
    write.kind = VolumeWrite::Kind::kHost;
    write.host_path = host["path"].AsString();
    write.host_type = host["type"].AsString();
  } else if (const base::Value empty = volume["emptyDir"]; empty.Exists() || volume.size() == 1) {
    write.kind = VolumeWrite::Kind::kDirectory;
    write.in_memory = empty["medium"].AsString() == "Memory";
    write.size_limit = manifests::Quantity::Of(empty["sizeLimit"]).Value();
  } else if (IsReadOnlyVolume(volume)) {
    ASSIGN_OR_RETURN(Files files, FilesOf(context, volume));
    for (auto& [path, file] : files) write.files.push_back(std::move(file));
    write.in_memory = HoldsSecret(volume);
  } else {
    return base::Status(base::Code::kInvalid,
                        "it is of a kind that is not served; use configMap, secret, downwardAPI, "
                        "projected, emptyDir or hostPath");
  }
  const base::Value group = context.pod["spec"]["securityContext"]["fsGroup"];
  if (group.Exists() && write.kind != VolumeWrite::Kind::kHost) write.group = group.AsInt();
  write.version = VersionOf(write);
  return write;
}

}  // namespace

std::string PodDirectory(const NodeFacts& node, std::string_view uid) {
  return node.volume_root + "/" + std::string(uid);
}

std::string PodLogDirectory(const NodeFacts& node, std::string_view ns, std::string_view name,
                            std::string_view uid) {
  return node.log_root + "/" + std::string(ns) + "_" + std::string(name) + "_" + std::string(uid);
}

std::string ContainerLogPath(const NodeFacts& node, std::string_view ns, std::string_view name,
                             std::string_view uid, std::string_view container, uint32_t attempt) {
  return PodLogDirectory(node, ns, name, uid) + "/" + std::string(container) + "/" +
         std::to_string(attempt) + ".log";
}

std::vector<std::string> ContainerFiles(const NodeFacts& node, std::string_view uid,
                                        std::string_view container, uint32_t attempt) {
  const std::string directory = PodDirectory(node, uid) + "/files/";
  const std::string instance = "-" + std::string(container) + "-" + std::to_string(attempt);
  return {directory + "hosts" + instance, directory + "message" + instance};
}

base::Result<std::vector<VolumeWrite>> BuildVolumes(const PodContext& context) {
  std::vector<VolumeWrite> writes;
  for (base::Value volume : context.pod["spec"]["volumes"].Elements()) {
    auto write = BuildVolume(context, volume);
    if (!write.ok()) {
      return write.status().WithContext("volume \"" + std::string(volume["name"].AsString()) +
                                        "\"");
    }
    writes.push_back(*std::move(write));
  }
  return writes;
}

std::string VolumePath(const PodContext& context, base::Value volume) {
  if (volume["hostPath"].Exists()) return std::string(volume["hostPath"]["path"].AsString());
  return PodDirectory(context.node, context.Uid()) + "/volumes/" +
         std::string(volume["name"].AsString());
}

bool IsReadOnlyVolume(base::Value volume) {
  return volume["configMap"].Exists() || volume["secret"].Exists() ||
         volume["downwardAPI"].Exists() || volume["projected"].Exists();
}

bool IsPathBelow(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != path.npos) return false;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    if (slash == path.npos) break;
    path.remove_prefix(slash + 1);
  }
  return true;
}

}  // namespace nodeagent
