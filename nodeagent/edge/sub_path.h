// Sub-paths: a directory or file below a volume, mounted at a place of the agent's own, so that the
// runtime is given a path in which no container can put a link.
//
// Any thread; blocks on the disk only.
#pragma once

#include <string>

#include "base/status.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

// What is missing of the path is made, as directories. What is mounted at the place goes before.
// kForbidden for a path that leads out of its volume by a link.
base::Status MountSubPath(const SubPath& sub);

// Unmounts all that is mounted at the entries of a directory; one that is not there has none.
void UnmountEntries(const std::string& directory);

}  // namespace nodeagent
