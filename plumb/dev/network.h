// Network: the bridge, and a cable from it to each member, all inside the cluster's namespaces.
#pragma once

#include "base/status.h"
#include "plumb/dev/layout.h"

namespace plumb {

// Makes what is missing and leaves the rest.
base::Status BuildNetwork(const ClusterRecord& record);

}  // namespace plumb
