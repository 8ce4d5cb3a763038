// Objects to measure with: of the size and shape that real ones have.
//
// Pure: equal numbers give equal objects.
#pragma once

#include <string>

#include "base/json.h"

namespace bench {

// A ConfigMap of about `bytes` bytes of JSON.
base::Json ConfigMap(const std::string& ns, const std::string& name, size_t bytes);

// A pod as a Deployment's controller makes it: labels, owner, containers (one or two) with
// requests, a probe and environment. `group` is its Deployment; with a `node` it is bound and runs:
// status and all.
base::Json Pod(const std::string& ns, int group, int number, const std::string& node = {},
               int containers = 1);

// A ready node with room for 110 pods.
base::Json Node(int number);
std::string NodeName(int number);

}  // namespace bench
