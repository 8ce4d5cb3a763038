// A cordoned node takes no new pods, unless they tolerate node.kubernetes.io/unschedulable.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return !node.unschedulable || ToleratesCordon(prepared.pod.tolerations);
}

Rejection Explain(const Prepared&, const NodeInfo&) { return {"cordoned"}; }

bool WakesOn(const PodInfo&, const ClusterChange& change) {
  return NodeChanged(change, "spec", "unschedulable");
}

}  // namespace

extern const Plugin kUnschedulablePlugin = {
    .name = "NodeUnschedulable", .fits = Fits, .explain = Explain, .wakes_on = WakesOn};

}  // namespace scheduler
