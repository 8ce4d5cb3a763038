// Two pods on one node cannot have the same host port.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

const HostPort* FirstTaken(const PodInfo& pod, const NodeInfo& node) {
  for (const HostPort& wanted : pod.host_ports) {
    for (const HostPort& taken : node.host_ports) {
      if (wanted.ConflictsWith(taken)) return &wanted;
    }
  }
  return nullptr;
}

bool Fits(const PodInfo& pod, const NodeInfo& node) { return FirstTaken(pod, node) == nullptr; }

Rejection Explain(const PodInfo& pod, const NodeInfo& node) {
  return {"with host port " + std::to_string(FirstTaken(pod, node)->port) + " taken", "", 0, ""};
}

}  // namespace

const Filter kHostPortsFilter = {"NodePorts", Fits, Explain};

}  // namespace scheduler
