// ResourceQuota: a namespace's sums may not pass its hard limits. Counted are, for pods that have
// not ended, their number and their requests and limits; for other kinds, their number
// ("count/deployments.apps", or the short names that Kubernetes has for some). A quota on an amount
// makes that amount mandatory for new pods. A quota with scopes counts the pods in them and nothing
// else.
#include "state/admission/quota.h"

#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/pod.h"
#include "state/admission/admission.h"
#include "state/own_secrets.h"

namespace state {
namespace {

template <typename V>
ResourceList UsageOf(const manifests::Kind& kind, const V& object) {
  const manifests::KindFacts& facts = manifests::FactsOf(kind.Resource());
  ResourceList usage;
  usage["count/" + kind.Resource()] = manifests::Quantity::Units(1);
  if (facts.short_quota) usage[kind.Resource()] = manifests::Quantity::Units(1);
  if (facts.quota_amounts) facts.quota_amounts(object, usage);
  return usage;
}

// What the quota counts of an object.
template <typename V>
ResourceList CountedBy(base::Value quota_spec, const manifests::Kind& kind, const V& object) {
  const bool counts = kind.Resource() == "pods" ? QuotaCoversPod(quota_spec, object["spec"])
                                                : !HasScopes(quota_spec);
  return counts ? UsageOf(kind, object) : ResourceList();
}

bool IsPodAmount(std::string_view name) {
  return name == "cpu" || name == "memory" || name.starts_with("requests.") ||
         name.starts_with("limits.");
}

}  // namespace

ResourceList QuotaUsage(const View& view, const manifests::Schema& schema, const Object& quota,
                        const std::vector<std::string>& names) {
  const base::Value spec = quota["spec"];
  ResourceList usage;
  for (const std::string& name : names) usage[name] = manifests::Quantity();
  for (const manifests::Kind* kind : schema.kinds()) {
    if (!kind->namespaced) continue;
    bool counts = false;
    for (const std::string& name : names) {
      counts |= name == "count/" + kind->Resource() || name == kind->Resource() ||
                name.starts_with(kind->Resource() + ".") ||
                (kind->Resource() == "pods" && IsPodAmount(name));
    }
    if (!counts) continue;
    for (const ObjectPtr& object : view.List(kind->Resource(), quota.key.ns)) {
      if (kind->Resource() == "pods" && manifests::HasEnded(object->document.root())) continue;
      for (const auto& [name, amount] : CountedBy(spec, *kind, object->document.root())) {
        if (const auto it = usage.find(name); it != usage.end()) it->second = it->second + amount;
      }
    }
  }
  return usage;
}

base::Status AdmitQuota(AdmissionRequest& request) {
  if (!request.kind.namespaced || IsOwnSecret(request.key)) return base::Status();
  for (const ObjectPtr& quota : request.view.List("resourcequotas", request.key.ns)) {
    const base::Value spec = (*quota)["spec"];
    const base::Value hard = spec["hard"];
    if (quota->key == request.key || hard.empty()) continue;
    const ResourceList wanted = CountedBy(spec, request.kind, std::as_const(request.object));
    if (wanted.empty()) continue;
    ResourceList had;
    if (request.old != nullptr) had = CountedBy(spec, request.kind, request.old->document.root());
    std::vector<std::string> names;
    for (const auto& [name, amount] : hard.Members()) {
      const bool pod = request.key.resource == "pods" && request.old == nullptr;
      if (pod && IsPodAmount(name) && wanted.count(name) == 0) {
        return base::Status(base::Code::kForbidden,
                            "pods \"" + request.key.name + "\" is forbidden: quota " +
                                quota->key.name + " demands that every container sets " +
                                std::string(name) + " (or a LimitRange gives a default)");
      }
      if (wanted.count(name) != 0) names.emplace_back(name);
    }
    if (names.empty()) continue;
    const ResourceList used = QuotaUsage(request.view, *request.view.schema(), *quota, names);
    std::string exceeded;
    for (const std::string& name : names) {
      const auto before = had.find(name);
      const manifests::Quantity own = before == had.end() ? manifests::Quantity() : before->second;
      const manifests::Quantity asked = wanted.find(name)->second - own;
      const manifests::Quantity limit = manifests::Quantity::Of(hard[name]);
      const manifests::Quantity now = used.find(name)->second;
      if (asked <= manifests::Quantity() || now + asked <= limit) continue;
      if (!exceeded.empty()) exceeded += "; ";
      exceeded += name + ": requested " + asked.ToHuman() + ", used " + now.ToHuman() +
                  ", limited to " + limit.ToHuman();
    }
    if (exceeded.empty()) continue;
    return base::Status(base::Code::kForbidden, request.kind.Resource() + " \"" + request.key.name +
                                                    "\" is forbidden: exceeded quota " +
                                                    quota->key.name + ": " + exceeded);
  }
  return base::Status();
}

}  // namespace state
