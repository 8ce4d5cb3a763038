// Settled: is everything as the users last asked, on every side of the cluster? Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_node.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/users.h"
#include "tests/sim/watcher.h"
#include "tests/sim/world.h"

namespace tests {

// What is not as it should be: the first thing found; empty if all is well:
//   - each repository's head is applied, planning it once more would write nothing, and all that it
//     deploys is healthy, and a note says so; what was made by hand is there;
//   - the nodes run the pods bound to them and nothing else;
//   - each DaemonSet has exactly one pod on each node that fits, and none elsewhere;
//   - each node's rules lead to the ready pods of every service, and nowhere else;
//   - those who watch hold what there is.
std::string WhatIsMissing(World& world, SimServer& server,
                          const std::vector<std::unique_ptr<SimNode>>& nodes, Users& users,
                          const std::vector<std::unique_ptr<Watcher>>& watchers);

}  // namespace tests
