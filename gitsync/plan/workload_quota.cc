// Counted are Deployments, and ReplicaSets, ReplicationControllers, StatefulSets and Pods that
// nothing else made (a DaemonSet has as many pods as there are nodes for it). Pods that a rollout
// runs besides (maxSurge) are not: they wait, they do not fail. A quota with scopes counts the pods
// in them.
#include "gitsync/plan/workload_quota.h"

#include "state/admission/quota.h"
#include "state/admission/resources.h"

namespace gitsync {
namespace {

using state::ResourceList;

void AddPods(base::Value spec, int64_t count, ResourceList& usage) {
  usage["pods"] = usage["pods"] + manifests::Quantity::Units(count);
  for (const char* field : {"requests", "limits"}) {
    for (const auto& [name, amount] : state::PodResources(spec, field)) {
      const std::string full = std::string(field) + "." + name;
      usage[full] = usage[full] + amount * count;
      if (full == "requests.cpu" || full == "requests.memory") {
        usage[name] = usage[name] + amount * count;
      }
    }
  }
}

ResourceList PlannedUsage(const state::View& view, const std::string& ns, base::Value quota) {
  ResourceList usage;
  const auto add = [&](base::Value spec, int64_t count) {
    if (state::QuotaCoversPod(quota, spec)) AddPods(spec, count, usage);
  };
  for (const char* resource :
       {"deployments.apps", "replicasets.apps", "replicationcontrollers", "statefulsets.apps"}) {
    for (const state::ObjectPtr& workload : view.List(resource, ns)) {
      if (workload->ControllerRef().Exists() || workload->Deleting()) continue;
      add((*workload)["spec"]["template"]["spec"], (*workload)["spec"]["replicas"].AsInt(1));
    }
  }
  for (const state::ObjectPtr& pod : view.List("pods", ns)) {
    const std::string_view phase = (*pod)["status"]["phase"].AsString();
    if (pod->ControllerRef().Exists() || phase == "Succeeded" || phase == "Failed") continue;
    add((*pod)["spec"], 1);
  }
  return usage;
}

}  // namespace

std::string QuotaExcess(const state::View& before, const state::View& after,
                        const std::string& ns) {
  for (const state::ObjectPtr& quota : after.List("resourcequotas", ns)) {
    const base::Value spec = (*quota)["spec"];
    ResourceList had = PlannedUsage(before, ns, spec);
    const ResourceList would = PlannedUsage(after, ns, spec);
    const base::Value hard = spec["hard"];
    for (const auto& [name, amount] : hard.Members()) {
      const auto wanted = would.find(name);
      const manifests::Quantity limit = manifests::Quantity::Of(amount);
      if (wanted == would.end() || wanted->second <= limit) continue;
      if (wanted->second <= had[std::string(name)]) continue;
      return "quota " + quota->key.name + " allows " + std::string(name) + " " + limit.ToHuman() +
             ", and the workloads of namespace " + ns + " would take " + wanted->second.ToHuman() +
             "; lower replicas or requests, or raise the quota";
    }
  }
  return "";
}

}  // namespace gitsync
