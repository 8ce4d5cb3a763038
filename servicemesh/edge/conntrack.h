// The kernel's connection tracking table, over netlink: forgetting stale UDP entries.
//
// Blocking; any thread, which must be in the network namespace meant.
#pragma once

#include <cstddef>
#include <vector>

#include "base/status.h"
#include "servicemesh/rules/rules.h"

namespace servicemesh {

// Deletes the UDP entries that `stale` describes; frontends without an address mean one of
// `node_ips`. Reads the table once, however many there are. Returns how many were deleted.
base::Result<size_t> DeleteStaleUdp(const std::vector<ConntrackFlush>& stale,
                                    const std::vector<Ipv4>& node_ips);

}  // namespace servicemesh
