// NodeTable: the nodes as the scheduler scans them: what each has, what its pods take of it. Kept
// up to date change by change, so that a batch of pods never reads all pods.
//
// Loop only (or one owner). Deterministic: nodes stand in the order of their names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/pod_info.h"
#include "state/transaction.h"
#include "state/view.h"

namespace scheduler {

struct NodeInfo {
  std::string name;
  state::ObjectPtr object;
  // Allocatable, and the sum of the requests of the pods bound here that have not ended.
  int64_t cpu_total = 0, cpu_used = 0;        // thousandths of a core
  int64_t memory_total = 0, memory_used = 0;  // bytes
  int64_t pods_total = 0, pods_used = 0;
  state::ResourceList extended_total, extended_used;
  std::vector<HostPort> host_ports;
  std::map<std::string, int, std::less<>> pods_by_owner;  // controller's uid -> pods here
  bool unschedulable = false;                             // cordoned
  base::Value labels, taints;

  void Add(const PodInfo& pod);
  void Remove(const PodInfo& pod);
};

class NodeTable {
 public:
  NodeTable() = default;
  explicit NodeTable(const state::View& view);

  // Follows one change of a node or pod; others are ignored.
  void Apply(const state::Change& change);

  const std::map<std::string, NodeInfo, std::less<>>& nodes() const { return nodes_; }
  std::map<std::string, NodeInfo, std::less<>>& nodes() { return nodes_; }
  NodeInfo* Find(std::string_view name);

 private:
  void PutNode(const state::ObjectPtr& node);
  void PutPod(const state::ObjectPtr& pod, bool add);

  std::map<std::string, NodeInfo, std::less<>> nodes_;
  // Pods bound to a node that the table has not seen (yet), so that it starts right when it comes.
  std::map<std::string, std::map<state::Key, state::ObjectPtr>, std::less<>> strays_;
};

}  // namespace scheduler
