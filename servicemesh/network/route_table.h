// RouteTable: the seam to this node's routes and own addresses.
//
// Loop only; one call at a time. `done` runs on the loop, never from within the call.
// edge/route_programmer is the real one, testing/fake_route_table keeps them in memory.
#pragma once

#include <functional>

#include "base/status.h"
#include "servicemesh/network/node_routes.h"

namespace servicemesh {

class RouteTable {
 public:
  virtual ~RouteTable() = default;

  // Switches forwarding on. The value says whether bridged packets pass the IP rules
  // (MeshInput::bridge_filtered): false on a kernel whose module br_netfilter is not loaded.
  virtual void EnableForwarding(std::function<void(base::Result<bool>)> done) = 0;

  // Makes the plan's routes all that are plumb's. After an error the caller cannot know what there
  // is; the next call brings it right.
  virtual void Set(RoutePlan plan, std::function<void(base::Status)> done) = 0;
};

}  // namespace servicemesh
