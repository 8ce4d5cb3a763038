#include "scheduler/plugin.h"

namespace scheduler {

// The cheapest and the most often decisive first.
const std::vector<Filter>& AllFilters() {
  static const std::vector<Filter> kAll = {
      kUnschedulableFilter, kPodCountFilter, kResourcesFilter, kTaintFilter,
      kNodeAffinityFilter,  kNodeNameFilter, kHostPortsFilter};
  return kAll;
}

// Weights as kube-scheduler's defaults: taints 3, node affinity 2, spread 2, resources 1 each.
const std::vector<Score>& AllScores() {
  static const std::vector<Score> kAll = {kLeastAllocatedScore, kBalancedScore, kSpreadScore,
                                          kTaintScore, kNodeAffinityScore};
  return kAll;
}

}  // namespace scheduler
