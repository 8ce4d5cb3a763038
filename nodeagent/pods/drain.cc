// Rule: an endpoint takes connections unless its `ready` condition is false; without the condition
// it is ready (Kubernetes API, EndpointConditions).
#include "nodeagent/pods/drain.h"

namespace nodeagent {

std::set<std::string> ServedBy(const state::Object& slice) {
  std::set<std::string> uids;
  for (base::Value endpoint : slice["endpoints"].Elements()) {
    if (!endpoint["conditions"]["ready"].AsBool(true)) continue;
    const std::string_view uid = endpoint["targetRef"]["uid"].AsString();
    if (!uid.empty()) uids.emplace(uid);
  }
  return uids;
}

bool IsServed(const state::View& view, std::string_view ns, std::string_view pod_uid) {
  for (const state::ObjectPtr& slice : view.List("endpointslices.discovery.k8s.io", ns)) {
    for (base::Value endpoint : (*slice)["endpoints"].Elements()) {
      if (endpoint["targetRef"]["uid"].AsString() != pod_uid) continue;
      if (endpoint["conditions"]["ready"].AsBool(true)) return true;
    }
  }
  return false;
}

}  // namespace nodeagent
