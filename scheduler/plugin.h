// Filter and Score plugins: what a node must have to take a pod, and how well it suits. Pure
// functions in plain ordered tables (plugins/all.cc); a plugin is one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scheduler/cluster_table.h"
#include "scheduler/pod_info.h"

namespace scheduler {

// Why a node cannot take a pod, so that equal reasons of many nodes become one clause.
struct Rejection {
  std::string reason;  // "too little memory"
  // For amounts: what the pod needs, and what the node has left; the sentence names the most that
  // any node has left.
  std::string need;  // "4Gi"; empty if it is no amount
  int64_t left = 0;
  std::string left_text;  // "3.1Gi"
};

struct Filter {
  std::string_view name;
  bool (*fits)(const PodInfo& pod, const NodeInfo& node);
  // Asked only after fits() said no.
  Rejection (*explain)(const PodInfo& pod, const NodeInfo& node);
};

inline constexpr int64_t kMostScore = 100;

struct Score {
  std::string_view name;
  int64_t weight;
  // 0 (worst) to kMostScore. It may depend on the pod and this node only, so that placing a pod
  // changes one score.
  int64_t (*score)(const PodInfo& pod, const NodeInfo& node);
};

const std::vector<Filter>& AllFilters();
const std::vector<Score>& AllScores();

// One a file of plugins/.
extern const Filter kNodeNameFilter, kUnschedulableFilter, kTaintFilter, kNodeAffinityFilter,
    kResourcesFilter, kPodCountFilter, kHostPortsFilter;
extern const Score kLeastAllocatedScore, kBalancedScore, kSpreadScore, kTaintScore,
    kNodeAffinityScore;

}  // namespace scheduler
