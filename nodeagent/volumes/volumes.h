// Volumes: what a pod's volumes hold, and where they are on the machine.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "nodeagent/pod_context.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

// The directory of all that the agent keeps for a pod, and that of its logs.
std::string PodDirectory(const NodeFacts& node, std::string_view uid);
std::string PodLogDirectory(const NodeFacts& node, std::string_view ns, std::string_view name,
                            std::string_view uid);
std::string ContainerLogPath(const NodeFacts& node, std::string_view ns, std::string_view name,
                             std::string_view uid, std::string_view container, uint32_t attempt);
// Where the places of an instance's sub-paths are.
std::string SubPathDirectory(const NodeFacts& node, std::string_view uid,
                             std::string_view container, uint32_t attempt);
// The agent's own files of one instance of a container, and its places.
std::vector<std::string> ContainerFiles(const NodeFacts& node, std::string_view uid,
                                        std::string_view container, uint32_t attempt);

// Every volume with all of its content. kNotFound or kUnavailable for a reference that is missing
// or not known yet, kInvalid for a volume that cannot be served.
base::Result<std::vector<VolumeWrite>> BuildVolumes(const PodContext& context);

// Where a volume of the pod is mounted from.
std::string VolumePath(const PodContext& context, base::Value volume);

// True if containers may not write to it.
bool IsReadOnlyVolume(base::Value volume);

// False for paths that are absolute, empty or have "..".
bool IsPathBelow(std::string_view path);

}  // namespace nodeagent
