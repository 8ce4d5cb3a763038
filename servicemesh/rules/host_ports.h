// Host ports: the ports of the node that lead to pods on it (ContainerPort.hostPort).
//
// Pure, any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/document.h"
#include "servicemesh/services.h"

namespace servicemesh {

// The host ports of the pods that are bound to `node`, have an address of their own and have not
// ended, sorted by pod.
std::vector<HostPort> HostPortsFrom(const std::vector<base::Value>& pods, std::string_view node);

}  // namespace servicemesh
