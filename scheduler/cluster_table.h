// ClusterTable: the cluster as the scheduler's plugins see it: what each node has and what its pods
// take of it, which pods stand where, and which nodes share a value of a label. Kept up to date
// change by change, so that a batch of pods never reads all pods.
//
// Loop only (or one owner). Deterministic: nodes stand in the order of their names. References to
// nodes, classes and topologies hold until the next Apply() or TrimTopologies().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <typeindex>
#include <typeinfo>
#include <vector>

#include "scheduler/pod_info.h"
#include "state/transaction.h"
#include "state/view.h"

namespace scheduler {

// Topologies kept between batches; a pod that names more of them than this costs a pass over all
// nodes for each.
inline constexpr size_t kMaxTopologies = 64;

struct NodeInfo {
  std::string name;
  state::ObjectPtr object;
  size_t slot = 0;  // its place in the vectors of Topology and PodClass; reused when it has gone
  // Allocatable, and the sum of the requests of the pods bound here that have not ended.
  int64_t cpu_total = 0, cpu_used = 0;        // thousandths of a core
  int64_t memory_total = 0, memory_used = 0;  // bytes
  int64_t pods_total = 0, pods_used = 0;
  manifests::ResourceList extended_total, extended_used;
  std::vector<HostPort> host_ports;
  std::map<std::string, int, std::less<>> pods_by_owner;  // controller's uid -> pods here
  bool unschedulable = false;                             // cordoned
  base::Value labels, taints;

  void Add(const PodInfo& pod);
  void Remove(const PodInfo& pod);
  // Thousandths of what there is that would be used with `pod` here; 1000 of nothing.
  int64_t CpuShareWith(const PodInfo& pod) const;
  int64_t MemoryShareWith(const PodInfo& pod) const;
};

// The nodes by their value of one label: nodes of an equal value are one domain, by number.
class Topology {
 public:
  static constexpr int kNone = -1;  // the node lacks the label

  int DomainOf(const NodeInfo& node) const { return domains_[node.slot]; }
  int DomainOf(size_t slot) const { return domains_[slot]; }
  // All numbers are below it; some may be of no node (any more).
  size_t size() const { return values_.size(); }

 private:
  friend class ClusterTable;
  void Put(size_t slot, base::Value value);  // a missing value: the node lacks the label

  std::vector<int> domains_;  // by slot
  struct Domain {
    int number = 0;
    int nodes = 0;
  };
  std::map<std::string, Domain, std::less<>> by_value_;
  std::vector<std::string_view> values_;  // by number, of by_value_
  std::vector<int> free_;                 // numbers that no node has any more
};

// A count for each domain of a topology.
struct DomainCounts {
  explicit DomainCounts(const Topology& of) : topology(&of), counts(of.size()) {}

  void Add(size_t slot, int64_t amount) {
    const int domain = topology->DomainOf(slot);
    if (domain != Topology::kNone) counts[static_cast<size_t>(domain)] += amount;
  }
  // 0 if the node lacks the label.
  int64_t Of(const NodeInfo& node) const {
    const int domain = topology->DomainOf(node);
    return domain == Topology::kNone ? 0 : counts[static_cast<size_t>(domain)];
  }

  const Topology* topology;
  std::vector<int64_t> counts;
};

// Pods on nodes that other pods cannot tell apart: those of one ReplicaSet, mostly.
class PodClass {
 public:
  explicit PodClass(const PodInfo& pod);

  std::string ns;
  bool leaving = false;                         // being deleted
  base::Value labels, affinity, anti_affinity;  // the latter two: spec.affinity.pod[Anti]Affinity
  std::map<size_t, int64_t> pods;               // slot of a node -> pods there

  // What a plugin works out of a class once, and keeps with it: made by `make` at the first call.
  template <typename T>
  const T& Memo(T (*make)(const PodClass&)) const {
    std::shared_ptr<const void>& memo = memos_[typeid(T)];
    if (memo == nullptr) memo = std::make_shared<const T>(make(*this));
    return *static_cast<const T*>(memo.get());
  }

 private:
  base::Document document_;  // what the values are of
  mutable std::map<std::type_index, std::shared_ptr<const void>> memos_;
};

// A change that moved the table, as wakes_on() is asked about it: of one node, one pod on a node,
// or one namespace's labels. Null: was not there before, is not there now.
struct ClusterChange {
  state::ObjectPtr node_before, node_now;
  state::ObjectPtr pod_before, pod_now;
  bool namespace_labels = false;
};

class ClusterTable {
 public:
  using Nodes = std::map<std::string, NodeInfo, std::less<>>;

  ClusterTable() = default;
  explicit ClusterTable(const state::View& view);

  // Follows one change of a node, pod or namespace; `view` is one that has it. Nothing comes back
  // for changes that move nothing here, as most do.
  std::optional<ClusterChange> Apply(const state::Change& change, const state::View& view);

  // Puts a pod on a node before it is bound, and takes it back.
  void Place(const PodInfo& pod, NodeInfo& node);
  void Unplace(const PodInfo& pod, NodeInfo& node);

  const Nodes& nodes() const { return nodes_; }
  Nodes& nodes() { return nodes_; }
  NodeInfo* Find(std::string_view name);
  size_t slots() const { return next_slot_; }  // all slots are below it

  // Of the nodes by the label `key`; made at the first call, then kept.
  const Topology& TopologyOf(std::string_view key);
  // Forgets them if there are more than kMaxTopologies.
  void TrimTopologies();

  // Calls `visit(const PodClass&)` for all classes; for those of one namespace; for those whose
  // pods say beside which others they want (or do not want) to be.
  template <typename Visit>
  void ForEachClass(const Visit& visit) const {
    for (const auto& [key, each] : classes_) visit(*each);
  }
  template <typename Visit>
  void ForEachClassIn(std::string_view ns, const Visit& visit) const {
    for (auto it = classes_.lower_bound(ClassKey(ns, {}, {}, {}, false));
         it != classes_.end() && it->second->ns == ns; ++it) {
      visit(*it->second);
    }
  }
  template <typename Visit>
  void ForEachChoosyClass(const Visit& visit) const {
    for (const auto& [key, each] : choosy_) visit(*each);
  }
  // Missing if there is no such namespace.
  base::Value NamespaceLabels(std::string_view ns) const;

 private:
  // Namespace, labels, affinity, anti-affinity (as bytes), leaving.
  using ClassKey =
      std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, bool>;

  static ClassKey KeyOf(const PodInfo& pod);
  void PutNode(const state::ObjectPtr& node);
  void RemoveNode(const std::string& name, const state::View& view);
  void PutPod(const state::ObjectPtr& pod, bool add);

  Nodes nodes_;
  size_t next_slot_ = 0;
  std::vector<size_t> free_slots_;
  std::map<std::string, Topology, std::less<>> topologies_;
  // The keys are of the PodClass's own document.
  std::map<ClassKey, std::unique_ptr<PodClass>> classes_;
  std::map<ClassKey, const PodClass*> choosy_;
  std::map<std::string, state::ObjectPtr, std::less<>> namespaces_;
  // Pods bound to a node that is not there (yet), so that it starts right when it comes.
  std::map<std::string, std::map<state::Key, state::ObjectPtr>, std::less<>> strays_;
};

}  // namespace scheduler
