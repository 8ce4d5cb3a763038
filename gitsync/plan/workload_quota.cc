// Counted is every object that asks for pods and that nothing else made. Pods that a rollout runs
// besides (maxSurge) are not: they wait, they do not fail. A quota with scopes counts the pods in
// them.
#include "gitsync/plan/workload_quota.h"

#include "manifests/kinds/kind_facts.h"
#include "state/admission/quota.h"

namespace gitsync {
namespace {

using manifests::ResourceList;

void AddPods(base::Value spec, int64_t count, ResourceList& usage) {
  usage["pods"] = usage["pods"] + manifests::Quantity::Units(count);
  for (const char* field : {"requests", "limits"}) {
    for (const auto& [name, amount] : manifests::PodResources(spec, field)) {
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
  for (const manifests::KindFacts* facts : manifests::AllKinds()) {
    if (facts->pods == nullptr) continue;
    for (const state::ObjectPtr& object : view.List(facts->resource, ns)) {
      if (object->ControllerRef().Exists()) continue;
      const std::optional<manifests::PodDemand> pods = facts->pods(object->document.root());
      if (pods && state::QuotaCoversPod(quota, pods->spec)) {
        AddPods(pods->spec, pods->count, usage);
      }
    }
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
