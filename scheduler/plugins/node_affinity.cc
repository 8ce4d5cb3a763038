// spec.nodeSelector and the required terms of spec.affinity.nodeAffinity decide; the preferred
// terms add their weights, as a share of all weights.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  if (!pod.node_selector.Exists() && !pod.node_affinity.Exists()) return true;
  return SelectsNode(pod.node_selector, pod.node_affinity, node.labels, node.name);
}

Rejection Explain(const PodInfo& pod, const NodeInfo&) {
  return {pod.node_selector.Exists() && !pod.node_affinity.Exists()
              ? "not matching the pod's nodeSelector"
              : "not matching the pod's node affinity",
          "", 0, ""};
}

int64_t ScoreNode(const PodInfo& pod, const NodeInfo& node) {
  const base::Value preferred =
      pod.node_affinity["preferredDuringSchedulingIgnoredDuringExecution"];
  if (!preferred.Exists()) return 0;
  int64_t all = 0, matched = 0;
  for (base::Value each : preferred.Elements()) {
    const int64_t weight = each["weight"].AsInt();
    all += weight;
    if (MatchesTerm(each["preference"], node.labels, node.name)) matched += weight;
  }
  return all == 0 ? 0 : matched * kMostScore / all;
}

}  // namespace

const Filter kNodeAffinityFilter = {"NodeAffinity", Fits, Explain};
const Score kNodeAffinityScore = {"NodeAffinity", 2, ScoreNode};

}  // namespace scheduler
