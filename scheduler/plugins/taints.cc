// A taint with effect NoSchedule or NoExecute keeps off pods that do not tolerate it; one with
// PreferNoSchedule only costs score.
#include <algorithm>

#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return !FirstRepelling(node.taints, prepared.pod.tolerations).Exists();
}

Rejection Explain(const Prepared& prepared, const NodeInfo& node) {
  const std::string_view key =
      FirstRepelling(node.taints, prepared.pod.tolerations)["key"].AsString();
  if (key == "node.kubernetes.io/not-ready") return {"not ready"};
  if (key == "node.kubernetes.io/unreachable") return {"unreachable"};
  return {"tainted " + std::string(key) + " (the pod does not tolerate it)"};
}

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  constexpr int64_t kCostOfOne = 25;
  int64_t score = kMaxScore;
  for (base::Value taint : node.taints.Elements()) {
    if (taint["effect"].AsString() == "PreferNoSchedule" &&
        !Tolerates(prepared.pod.tolerations, taint))
      score -= kCostOfOne;
  }
  return std::max<int64_t>(score, 0);
}

bool WakesOn(const PodInfo&, const ClusterChange& change) {
  return NodeChanged(change, "spec", "taints");
}

}  // namespace

extern const Plugin kTaintsPlugin = {.name = "TaintToleration",
                                     .fits = Fits,
                                     .explain = Explain,
                                     .score = ScoreNode,
                                     .wakes_on = WakesOn};

}  // namespace scheduler
