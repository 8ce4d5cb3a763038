// Daemons: the command line, and the sign of readiness, of each program that a cluster runs. The
// one place to change when those change.
#pragma once

#include <string>

#include "base/status.h"
#include "plumb/dev/layout.h"
#include "plumb/dev/processes.h"

namespace plumb {

// `binary` is this program's own file.
Daemon RegistryDaemon(const ClusterRecord& record);
Daemon ForwarderDaemon(const ClusterRecord& record, const std::string& binary);
Daemon ServerDaemon(const ClusterRecord& record, const std::string& binary);
Daemon AgentDaemon(const ClusterRecord& record, const std::string& binary, const Member& node,
                   const std::string& token_file);

// What docker-registry is configured with.
std::string RegistryConfig(const ClusterRecord& record);

// Files of the daemons that others read.
std::string ServerKubeconfigPath(const ClusterRecord& record);  // the server's own: admin
std::string JoinTokenPath(const ClusterRecord& record);
std::string ContainerdSocketPath(const Member& node);

// The cgroup under which all of a node's pods live; `down` removes it.
std::string CgroupRoot(const ClusterRecord& record);
std::string CgroupOf(const ClusterRecord& record, const Member& node);

}  // namespace plumb
