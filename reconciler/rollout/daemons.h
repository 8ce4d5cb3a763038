// Daemons: what a DaemonSet does next on its nodes, in numbers: which of its pods go, and which
// nodes get one. Pure; controllers/daemonset.cc reads and writes the objects.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/document.h"

namespace reconciler {

struct DaemonPod {
  bool updated = false;  // made from the newest template
  bool available = false;
  bool ending = false;  // told to go, and still there
};

struct DaemonNode {
  bool should_run = false;       // a pod is to be here
  bool should_continue = false;  // one that is here may stay
  bool waits = false;            // no pod is to be made here for now
  std::vector<DaemonPod> pods;   // those that have not ended, oldest first
};

// What spec.updateStrategy allows on `desired` nodes.
struct DaemonLimits {
  bool rolling = true;          // else OnDelete: pods are replaced when somebody deletes them
  int64_t max_unavailable = 0;  // nodes without an available pod
  int64_t max_surge = 0;        // nodes with an old and a new pod
};
DaemonLimits DaemonLimitsOf(base::Value spec, int64_t desired);

struct DaemonSteps {
  struct Pod {
    size_t node, pod;  // their places in the lists
    auto operator<=>(const Pod&) const = default;
  };
  std::vector<size_t> create;  // nodes, in order
  std::vector<Pod> remove;     // in order
};
DaemonSteps PlanDaemons(const DaemonLimits& limits, const std::vector<DaemonNode>& nodes);

}  // namespace reconciler
