// A node takes as many pods as it allows.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const Prepared&, const NodeInfo& node) { return node.pods_used < node.pods_total; }

Rejection Explain(const Prepared&, const NodeInfo& node) {
  return {"full (" + std::to_string(node.pods_total) + " pods)"};
}

bool WakesOn(const PodInfo&, const ClusterChange& change) {
  return PodLeft(change) || NodeChanged(change, "status", "allocatable");
}

}  // namespace

extern const Plugin kPodCountPlugin = {
    .name = "PodCount", .fits = Fits, .explain = Explain, .wakes_on = WakesOn};

}  // namespace scheduler
