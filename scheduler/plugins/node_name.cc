// A pod that names its node goes there or nowhere.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  const std::string_view wanted = (*pod.object)["spec"]["nodeName"].AsString();
  return wanted.empty() || wanted == node.name;
}

Rejection Explain(const PodInfo& pod, const NodeInfo&) {
  return {"not the node " + std::string((*pod.object)["spec"]["nodeName"].AsString()), "", 0, ""};
}

}  // namespace

const Filter kNodeNameFilter = {"NodeName", Fits, Explain};

}  // namespace scheduler
