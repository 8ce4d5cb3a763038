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

std::unique_ptr<Prepared> Prepare(const PodInfo& pod, ClusterTable&) {
  return pod.host_ports.empty() ? nullptr : std::make_unique<Prepared>(pod);
}

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return FirstTaken(prepared.pod, node) == nullptr;
}

Rejection Explain(const Prepared& prepared, const NodeInfo& node) {
  return {"with host port " + std::to_string(FirstTaken(prepared.pod, node)->port) + " taken"};
}

bool WakesOn(const PodInfo&, const ClusterChange& change) { return PodLeft(change); }

}  // namespace

extern const Plugin kHostPortsPlugin = {
    .name = "NodePorts", .prepare = Prepare, .fits = Fits, .explain = Explain, .wakes_on = WakesOn};

}  // namespace scheduler
