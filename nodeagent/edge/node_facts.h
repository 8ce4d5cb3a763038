// What a machine is and has, read from /proc, /sys, /etc and the control groups.
//
// Blocks on the disk for some milliseconds; any thread.
#pragma once

#include <string>

#include "nodeagent/pod_context.h"
#include "nodeagent/session/node_status.h"

namespace nodeagent {

// Everything about the machine but its name, address, runtime and agent. `disk_path` lies on the
// file system that holds the volumes.
Machine ReadMachine(const std::string& disk_path);

// The machine's resolv.conf as the dns_* of NodeFacts.
void ReadResolvConf(const std::string& path, NodeFacts& facts);

}  // namespace nodeagent
