// spec.nodeSelector and the required terms of spec.affinity.nodeAffinity decide; the preferred
// terms add their weights, as a share of all weights.
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

std::unique_ptr<Prepared> Prepare(const PodInfo& pod, ClusterTable&) {
  const bool asks = pod.node_selector.Exists() || pod.node_affinity.Exists();
  return asks ? std::make_unique<Prepared>(pod) : nullptr;
}

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  const PodInfo& pod = prepared.pod;
  return SelectsNode(pod.node_selector, pod.node_affinity, node.labels, node.name);
}

Rejection Explain(const Prepared& prepared, const NodeInfo&) {
  return {prepared.pod.node_affinity.Exists() ? "not matching the pod's node affinity"
                                              : "not matching the pod's nodeSelector"};
}

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const base::Value preferred =
      prepared.pod.node_affinity["preferredDuringSchedulingIgnoredDuringExecution"];
  int64_t all = 0, matched = 0;
  for (base::Value each : preferred.Elements()) {
    const int64_t weight = each["weight"].AsInt();
    all += weight;
    if (MatchesTerm(each["preference"], node.labels, node.name)) matched += weight;
  }
  return all == 0 ? 0 : matched * kMaxScore / all;
}

bool WakesOn(const PodInfo&, const ClusterChange& change) {
  return NodeChanged(change, "metadata", "labels");
}

}  // namespace

extern const Plugin kNodeAffinityPlugin = {.name = "NodeAffinity",
                                           .prepare = Prepare,
                                           .fits = Fits,
                                           .explain = Explain,
                                           .score = ScoreNode,
                                           .wakes_on = WakesOn};

}  // namespace scheduler
