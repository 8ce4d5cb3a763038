// A Node only reports: plumb status has a list of its own for Nodes.
#include <set>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/conditions.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

Json NodeStatus(Value node, WallTime) {
  const Value ready = ConditionOf(node["status"], "Ready");
  std::string text = "Unknown";
  if (ready.IsObject()) text = ready["status"].AsString() == "True" ? "Ready" : "NotReady";
  if (node["spec"]["unschedulable"].AsBool()) text += ",SchedulingDisabled";
  return text;
}

Json NodeRoles(Value node, WallTime) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [key, value] : node["metadata"]["labels"].Members()) {
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) {
      roles.emplace(key.substr(kPrefix.size()));
    } else if (key == "kubernetes.io/role" && !value.AsString().empty()) {
      roles.emplace(value.AsString());
    }
  }
  return OrNone(JoinCell({roles.begin(), roles.end()}));
}

Json NodeAddress(Value node, std::string_view type) {
  for (const Value address : node["status"]["addresses"].Elements()) {
    if (address["type"].AsString() == type) return address["address"].AsString(kNoneCell);
  }
  return kNoneCell;
}
Json NodeInternalIp(Value node, WallTime) { return NodeAddress(node, "InternalIP"); }
Json NodeExternalIp(Value node, WallTime) { return NodeAddress(node, "ExternalIP"); }

constexpr NamedCell kCells[] = {
    {"nodeExternalIP", NodeExternalIp},
    {"nodeInternalIP", NodeInternalIp},
    {"nodeRoles", NodeRoles},
    {"nodeStatus", NodeStatus},
};

}  // namespace

extern constinit const KindFacts kNodeFacts = {
    .resource = "nodes",
    .judged = false,
    .cells = kCells,
};

}  // namespace manifests
