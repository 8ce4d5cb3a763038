// A pod that names its node goes there or nowhere.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  return pod.node_name.empty() || pod.node_name == node.name;
}

Rejection Explain(const PodInfo& pod, const NodeInfo&) {
  return {"not the node " + std::string(pod.node_name), "", 0, ""};
}

}  // namespace

const Filter kNodeNameFilter = {"NodeName", Fits, Explain};

}  // namespace scheduler
