// A pod that names its node goes there or nowhere. Only a new node can help, which is always tried.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

std::unique_ptr<Prepared> Prepare(const PodInfo& pod, ClusterTable&) {
  return pod.node_name.empty() ? nullptr : std::make_unique<Prepared>(pod);
}

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return prepared.pod.node_name == node.name;
}

Rejection Explain(const Prepared& prepared, const NodeInfo&) {
  return {"not the node " + std::string(prepared.pod.node_name)};
}

}  // namespace

extern const Plugin kNodeNamePlugin = {
    .name = "NodeName", .prepare = Prepare, .fits = Fits, .explain = Explain};

}  // namespace scheduler
