// A cordoned node takes no new pods, unless they tolerate node.kubernetes.io/unschedulable.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  static const base::Document kTaint = base::Document(base::Json::MakeObject(
      {{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}}));
  return !node.unschedulable || Tolerates(pod.tolerations, kTaint.root());
}

Rejection Explain(const PodInfo&, const NodeInfo&) { return {"cordoned", "", 0, ""}; }

}  // namespace

const Filter kUnschedulableFilter = {"NodeUnschedulable", Fits, Explain};

}  // namespace scheduler
