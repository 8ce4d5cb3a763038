// VolumeKind: what a kind of volume puts into a pod, as the Kubernetes API ("Volumes") has it.
//
// Pure. A kind is a file of this folder and one line in all.cc. It either writes files, which then
// may be a source of a projected volume, too, or it says what the machine gives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "nodeagent/pod_context.h"
#include "nodeagent/volumes/sources.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

using VolumeFiles = std::map<std::string, FileContent>;  // by path

struct VolumeKind {
  std::string_view field;  // of a volume; its value is the `body` below

  // Files. `mode` is that of files whose item names none. Of two with one path the later stays.
  base::Status (*add_files)(const PodContext& context, base::Value body, int64_t mode,
                            VolumeFiles& files) = nullptr;
  // True if they are kept in memory; absent: never.
  bool (*holds_secret)(base::Value body) = nullptr;

  // What is no files: sets all but name, group and version.
  base::Status (*build)(base::Value body, VolumeWrite& write) = nullptr;
};

std::span<const VolumeKind* const> AllVolumeKinds();

// The kind of a volume or of a projected volume's source, or that of a field's name; nullptr if it
// is of none that is served.
const VolumeKind* FindVolumeKind(base::Value volume);
const VolumeKind* FindVolumeKind(std::string_view field);

// "configMap, secret or hostPath": the served ones for which `wanted` holds.
std::string VolumeKindNames(const std::function<bool(const VolumeKind&)>& wanted);

// Files of `entries`: those that `items` name, or all. kNotFound for an item whose key is missing,
// unless `optional`.
base::Status AddEntries(const Entries& entries, base::Value items, std::string_view kind,
                        std::string_view name, bool optional, int64_t mode, VolumeFiles& files);

// kInvalid for a path that leads out of the volume.
base::Status AddFile(std::string_view path, std::string content, int64_t mode, VolumeFiles& files);

}  // namespace nodeagent
