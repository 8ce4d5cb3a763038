// The node's CNI configuration: pods on a bridge, addresses from the node's pod range. Writing
// replaces the file whole; the runtime notices by itself. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace nodeagent {

struct CniOptions {
  std::string directory;       // where the runtime reads configurations
  std::string data_directory;  // where host-local keeps its leases
  std::string bridge = "cni0";
  std::string pod_cidr;  // "10.88.1.0/24"
  uint32_t mtu = 0;      // 0: the plugin's default
};
inline constexpr char kCniFile[] = "10-plumb.conflist";

std::string CniConfigText(const CniOptions& options);
base::Status WriteCniConfig(const CniOptions& options);

}  // namespace nodeagent
