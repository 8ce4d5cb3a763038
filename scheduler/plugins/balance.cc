// Of nodes with room, those score best whose cpu and memory would be used to the same share.
#include <cstdlib>

#include "scheduler/plugin.h"

namespace scheduler {
namespace {

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const int64_t cpu = node.CpuShareWith(prepared.pod);
  const int64_t memory = node.MemoryShareWith(prepared.pod);
  return kMaxScore - std::abs(cpu - memory) * kMaxScore / 1000;
}

}  // namespace

extern const Plugin kBalancePlugin = {.name = "BalancedAllocation", .score = ScoreNode};

}  // namespace scheduler
