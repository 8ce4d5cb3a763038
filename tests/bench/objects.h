// Objects to measure with: of the size and shape that real ones have.
//
// Pure: equal numbers give equal objects.
#pragma once

#include <string>

#include "base/json.h"

namespace bench {

// A ConfigMap of about `bytes` bytes of JSON.
base::Json ConfigMap(const std::string& ns, const std::string& name, size_t bytes);

// A pod as a Deployment's controller makes it: labels, owner, two containers with requests, probes
// and environment. `group` is its Deployment; with a `node` it is bound and runs: status and all.
base::Json Pod(const std::string& ns, int group, int number, const std::string& node = {});

// A ready node with room for 110 pods.
base::Json Node(int number);
std::string NodeName(int number);

}  // namespace bench
