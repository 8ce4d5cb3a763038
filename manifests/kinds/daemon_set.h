// What all pods of DaemonSets bear, whatever their template says: they run on nodes in trouble,
// too. The controller writes it into the pods; the scheduler asks before there is one.
//
// Constants. Reference: Kubernetes' documentation of DaemonSet, "Taints and tolerations".
#pragma once

#include <string_view>

namespace manifests {

struct DaemonToleration {
  std::string_view key, effect;
  bool host_network_only = false;  // of pods on the host's network, which need no other
};

inline constexpr DaemonToleration kDaemonTolerations[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},
    {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"},
    {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},
    {"node.kubernetes.io/unschedulable", "NoSchedule"},
    {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
};

}  // namespace manifests
