// Rules (Kubernetes API, "Volumes"):
// - What a volume holds is its kind's business (kinds/); one that names no kind is an emptyDir.
// - Modes: the item's, else the source's defaultMode, else 0644.
// - A version covers names, modes and contents, so that an unchanged volume is not written again.
#include "nodeagent/volumes/volumes.h"

#include <utility>

#include "base/hash.h"
#include "nodeagent/volumes/kinds/volume_kind.h"

namespace nodeagent {
namespace {

constexpr int64_t kDefaultMode = 0644;

const VolumeKind* KindOf(base::Value volume) {
  const VolumeKind* kind = FindVolumeKind(volume);
  return kind == nullptr && volume.size() == 1 ? FindVolumeKind("emptyDir") : kind;
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
  const VolumeKind* kind = KindOf(volume);
  if (kind == nullptr) {
    return base::Status(base::Code::kInvalid,
                        "it is of a kind that is not served; use " +
                            VolumeKindNames([](const VolumeKind&) { return true; }));
  }
  const base::Value body = volume[kind->field];
  if (kind->build != nullptr) {
    RETURN_IF_ERROR(kind->build(body, write));
  } else {
    VolumeFiles files;
    RETURN_IF_ERROR(kind->add_files(context, body, body["defaultMode"].AsInt(kDefaultMode), files));
    for (auto& [path, file] : files) write.files.push_back(std::move(file));
    write.in_memory = kind->holds_secret != nullptr && kind->holds_secret(body);
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

std::string SubPathDirectory(const NodeFacts& node, std::string_view uid,
                             std::string_view container, uint32_t attempt) {
  return PodDirectory(node, uid) + "/" + kSubPathsDirectory + "/" + std::string(container) + "-" +
         std::to_string(attempt);
}

std::vector<std::string> ContainerFiles(const NodeFacts& node, std::string_view uid,
                                        std::string_view container, uint32_t attempt) {
  const std::string directory = PodDirectory(node, uid) + "/files/";
  const std::string instance = "-" + std::string(container) + "-" + std::to_string(attempt);
  return {directory + "hosts" + instance, directory + "message" + instance,
          SubPathDirectory(node, uid, container, attempt)};
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
  const VolumeKind* kind = FindVolumeKind(volume);
  VolumeWrite write;
  if (kind != nullptr && kind->build != nullptr && kind->build(volume[kind->field], write).ok() &&
      write.kind == VolumeWrite::Kind::kHost) {
    return write.host_path;
  }
  return PodDirectory(context.node, context.Uid()) + "/volumes/" +
         std::string(volume["name"].AsString());
}

bool IsReadOnlyVolume(base::Value volume) {
  const VolumeKind* kind = FindVolumeKind(volume);
  return kind != nullptr && kind->add_files != nullptr;
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
