// RouteProgrammer: keeps a network namespace's routes and own addresses as planned, through ip(8).
//
// Loop only; one call at a time. The work is done on the loop's workers. Needs CAP_NET_ADMIN.
#pragma once

#include <functional>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/status.h"
#include "servicemesh/network/route_table.h"

namespace servicemesh {

class RouteProgrammer final : public RouteTable {
 public:
  // `network_namespace` as "/run/netns/NAME"; "" is the process's own. `loop` outlives this. Its
  // end leaves the routes in place; a call under way does not come back.
  RouteProgrammer(base::Loop& loop, std::string network_namespace);

  void EnableForwarding(std::function<void(base::Result<bool>)> done) override;
  // Makes the plan's routes all that carry kRouteProtocol. After an error the next call starts from
  // what the kernel has.
  void Set(RoutePlan plan, std::function<void(base::Status)> done) override;

 private:
  base::Loop& loop_;
  const std::string network_namespace_;
  bool busy_ = false;
  bool known_ = false;  // whether programmed_ is what the kernel has
  RoutePlan programmed_;
  base::Lifeline lifeline_;
};

}  // namespace servicemesh
