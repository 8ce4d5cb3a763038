// Traces: what a node's containers leave on the machine when they are ended without containerd:
// mounts, cgroups, network namespaces, and a few files that containerd and runc keep outside of the
// directory that they were given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "plumb/dev/namespaces.h"

namespace plumb {

struct ContainerTraces {
  std::vector<std::string> cgroups;     // "/a/b", below each cgroup hierarchy
  std::vector<std::string> namespaces;  // files that are network namespaces
  std::vector<std::string> files;       // files and directories outside of the directory
};
// Reads the bundles of containerd's tasks below `directory`. To be called before they are removed.
ContainerTraces FindContainerTraces(const std::string& directory);

// The ids of the namespaces that are mounted below `directory` or named in `traces`.
std::vector<NamespaceId> NetworksOf(const std::string& directory, const ContainerTraces& traces);

// Mount points at or below `directory`, the last mounted first.
std::vector<std::string> MountsBelow(std::string_view directory);
void UnmountBelow(std::string_view directory);

// Removes a cgroup with all below it from every hierarchy, once its processes are gone. False if
// some of it stays.
bool RemoveCgroup(const std::string& path);

// Removes the traces; what could not be is named.
std::vector<std::string> RemoveTraces(const ContainerTraces& traces);

}  // namespace plumb
