// Plugin: what a node must have to take a pod, how well it suits, and which change could make it
// suit. A plugin is one file of plugins/, with its test beside it, and a row in plugins/all.cc.
//
// Plugins are values made of pure functions; what they work out for a batch is in a Prepared. All
// of them run on the loop, or wherever the table's owner is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/cluster_table.h"
#include "scheduler/pod_info.h"

namespace scheduler {

inline constexpr int64_t kMaxScore = 100;

// Why a node cannot take a pod, so that equal reasons of many nodes become one clause.
struct Rejection {
  std::string reason;  // "too little memory"
  // For amounts: what the pod needs, and what the node has left; the sentence names the most that
  // any node has left.
  std::string need;  // "4Gi"; empty if it is no amount
  int64_t left = 0;
  std::string left_text;  // "3.1Gi"
};

// What one plugin knows of one batch of identical pods: at least a pod of it.
struct Prepared {
  explicit Prepared(const PodInfo& one) : pod(one) {}
  virtual ~Prepared() = default;

  const PodInfo& pod;
  // Empty: the answers for a node depend on the pod and that node alone, so that a placement
  // changes those of one node. Else they depend on nothing of a node but its domains in these (and
  // `placed` must be there): a placement may change the answers for all nodes.
  std::vector<const Topology*> topologies;
};

struct Plugin {
  std::string_view name;
  // Null: a plain Prepared does. If null comes back, the plugin has nothing to say of this pod, and
  // none of its other functions is called for it.
  std::unique_ptr<Prepared> (*prepare)(const PodInfo& pod, ClusterTable& table) = nullptr;
  // Null: every node fits.
  bool (*fits)(const Prepared& prepared, const NodeInfo& node) = nullptr;
  // Called only after fits() said no.
  Rejection (*explain)(const Prepared& prepared, const NodeInfo& node) = nullptr;
  // 0 (worst) to kMaxScore.
  int64_t (*score)(const Prepared& prepared, const NodeInfo& node) = nullptr;
  // A pod of the batch was placed on `node`.
  void (*placed)(Prepared& prepared, const NodeInfo& node) = nullptr;
  // Of a pod that this plugin kept off some node: whether `change` could let it in there. True for
  // what is hard to say; never false for a change that helps. A new node is always tried.
  bool (*wakes_on)(const PodInfo& pod, const ClusterChange& change) = nullptr;
};

struct ListedPlugin {
  const Plugin* plugin;
  int64_t weight;  // of its score
};

// In the order in which they are asked; the first that says no gives the reason.
const std::vector<ListedPlugin>& AllPlugins();

// What several plugins' wakes_on() ask. A pod left the node that it took room on:
bool PodLeft(const ClusterChange& change);
// A node that was there, and is there, has another value at a path of one or two names.
bool NodeChanged(const ClusterChange& change, std::string_view object, std::string_view field);

}  // namespace scheduler
