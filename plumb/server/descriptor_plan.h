// DescriptorPlan: who may have how many of the descriptors that the process may open, so that
// nobody takes those of another: the store's above all.
//
// Pure.
#pragma once

#include <cstddef>
#include <string>

#include "base/status.h"

namespace plumb {

struct DescriptorPlan {
  size_t store_files = 0;        // LevelDB's
  int transfers = 0;             // Git's children and the like, that read and as many that write
  size_t api_connections = 0;    // of the API's and Git's port
  size_t agent_connections = 0;  // of the agents'
  size_t agent_newcomers = 0;    // of those: not known as nodes' yet
  // What is less than it could be, and with what limit it were not; empty if nothing is.
  std::string note;
};

// Of `limit` descriptors. Each part has what it needs; what is left is shared by those who want
// more. `with_node`: a node agent is in the process. kUnavailable, with what to do, if there are
// too few for the least of each.
base::Result<DescriptorPlan> PlanDescriptors(size_t limit, bool with_node);

}  // namespace plumb
