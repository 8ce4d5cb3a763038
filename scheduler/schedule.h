// Schedule: pods in, places out. Pure but for the table, which takes up what was placed.
//
// Pods are taken by priority, then age, then name. A run of identical ones is placed as one batch:
// all nodes are filtered and scored once, and after each placement only the node that took it, so P
// pods on N nodes cost O(N + P log N). Every node is scored, none is sampled. Equal scores go to
// the node with fewer pods, then to the first by name.
#pragma once

#include <string>
#include <vector>

#include "scheduler/cluster_table.h"
#include "scheduler/pod_info.h"

namespace scheduler {

struct Decision {
  state::Key pod;
  std::string node;  // empty: none fits
  std::string
      why;  // then: "0/3 nodes: 2 too little memory (need 4Gi, most free 3.1Gi), 1 cordoned"
};

// One decision a pod, in the order in which they were taken; `pods` are brought into that order.
std::vector<Decision> Schedule(NodeTable& table, std::vector<PodInfo>& pods);

// Why no node takes `pod`, as a sentence.
std::string Explain(const NodeTable& table, const PodInfo& pod);

}  // namespace scheduler
