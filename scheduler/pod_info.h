// PodInfo: what placement needs of a pod, taken out of its document once.
//
// Values; any thread. The Values in it live as long as `object`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/kinds/pod_resources.h"
#include "manifests/selector.h"
#include "state/object.h"

namespace scheduler {

struct HostPort {
  std::string protocol;
  int64_t port = 0;
  std::string ip;  // "0.0.0.0" for all
  bool ConflictsWith(const HostPort& other) const;
};

struct PodInfo {
  explicit PodInfo(state::ObjectPtr pod);

  state::ObjectPtr object;
  int64_t milli_cpu = 0;
  int64_t memory = 0;                // bytes
  manifests::ResourceList extended;  // all other resources
  int64_t priority = 0;
  std::string_view owner;  // uid of its controller, or its own
  std::vector<HostPort> host_ports;
  std::string_view node_name;  // that it asks for; mostly empty
  base::Value node_selector, node_affinity, pod_affinity, pod_anti_affinity, tolerations;

  const state::Key& key() const { return object->key; }
  base::Value spec() const { return (*object)["spec"]; }
  // True if no plugin can tell the two apart, whatever of a pod it reads: their namespaces, owners,
  // labels and whole specs are equal. Such pods are placed as one batch.
  bool IsTwinOf(const PodInfo& other) const;
};

// True if `affinity`'s required terms and `selector` (both of a pod's spec) allow a node with these
// labels and name.
bool SelectsNode(base::Value selector, base::Value affinity, base::Value labels,
                 std::string_view node_name);
// One v1.NodeSelectorTerm.
bool MatchesTerm(base::Value term, base::Value labels, std::string_view node_name);
// A metav1.LabelSelector. What cannot be read selects nothing: it was checked when it was written.
manifests::LabelSelector SelectorFrom(base::Value object);
// True if one of `tolerations` tolerates `taint`.
bool Tolerates(base::Value tolerations, base::Value taint);
// The first of `taints` that keeps new pods off (NoSchedule, NoExecute) and is not tolerated, or a
// missing value.
base::Value FirstRepelling(base::Value taints, base::Value tolerations);
// True if `tolerations` let a pod onto a cordoned node.
bool ToleratesCordon(base::Value tolerations);

}  // namespace scheduler
