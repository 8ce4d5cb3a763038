// What a containerd and its pods leave behind when they were not stopped: after a crash, or when a
// cluster for development is taken down.
#pragma once

#include <string>

#include "base/status.h"

namespace nodeagent {

// Kills the containerd of this directory, its shims and every process of its containers; removes
// their mounts, control groups and records of the pod network; removes the directory. Blocks, up to
// seconds; any thread. OK if there is nothing. It touches nothing of another containerd.
base::Status RemoveContainerdLeftovers(const std::string& directory);

}  // namespace nodeagent
