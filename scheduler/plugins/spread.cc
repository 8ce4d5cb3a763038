// Pods of one controller spread over nodes: a node scores the better the fewer siblings it has.
// (Spread over zones follows with topologySpreadConstraints.)
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

int64_t ScoreNode(const PodInfo& pod, const NodeInfo& node) {
  const auto it = node.pods_by_owner.find(pod.owner);
  return kMostScore / (1 + (it == node.pods_by_owner.end() ? 0 : it->second));
}

}  // namespace

const Score kSpreadScore = {"Spread", 2, ScoreNode};

}  // namespace scheduler
