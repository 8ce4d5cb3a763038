// Pods of one controller spread over nodes: a node scores the better the fewer siblings it has.
// (Over zones, or by other labels, as topologySpreadConstraints say: topology_spread.cc.)
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const auto it = node.pods_by_owner.find(prepared.pod.owner);
  return kMaxScore / (1 + (it == node.pods_by_owner.end() ? 0 : it->second));
}

}  // namespace

extern const Plugin kSpreadPlugin = {.name = "Spread", .score = ScoreNode};

}  // namespace scheduler
