// Schedule: pods in, places out. Pure but for the table, which takes up what was placed.
//
// Pods are taken by priority, then age, then name. A run of identical ones is placed as one batch:
// all nodes are filtered and scored once by the plugins that look at one node, and after each
// placement only the node that took it; plugins that look at domains are asked once a group of
// nodes that share theirs. P pods on N nodes in G groups cost O(N + P (G + log N)); without such
// plugins G is 1. Every node is scored exactly, none is sampled. Equal scores go to the node with
// fewer pods, then to the first by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scheduler/cluster_table.h"
#include "scheduler/plugin.h"
#include "scheduler/pod_info.h"

namespace scheduler {

// Why no node takes a pod, or any of its batch.
struct Refusal {
  PodInfo pod;      // one of the batch
  std::string why;  // "0/3 nodes: 2 too little memory (need 4Gi, most free 3.1Gi), 1 cordoned"
  std::vector<const Plugin*> by;  // each was the first to say no of some node

  // Whether `change` could let the pod in.
  bool WakesOn(const ClusterChange& change) const;
};

struct Decision {
  state::Key pod;
  std::string node;                        // empty: none fits
  std::shared_ptr<const Refusal> refusal;  // then
};

// One decision a pod, in the order in which they were taken; `pods` are brought into that order.
std::vector<Decision> Schedule(ClusterTable& table, std::vector<PodInfo>& pods);

// What all plugins say of `pod` on each node, in the order of the nodes' names.
struct Verdict {
  std::string node;
  const Plugin* refused_by = nullptr;  // null: the node fits
  Rejection rejection;                 // of that one
  int64_t score = 0;                   // weighted sum, if the node fits
};
std::vector<Verdict> Judge(ClusterTable& table, const PodInfo& pod);

}  // namespace scheduler
