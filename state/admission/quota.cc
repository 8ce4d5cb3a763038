// ResourceQuota: a namespace's sums may not pass its hard limits. Counted are, for pods that have
// not ended, their number and their requests and limits; for other kinds, their number
// ("count/deployments.apps", or the short names that Kubernetes has for some). A quota on cpu or
// memory makes that amount mandatory for new pods. A quota with scopes counts the pods in them and
// nothing else.
#include "state/admission/quota.h"

#include <algorithm>

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

// What an object that is stored counts for: nothing once it is a pod that has ended.
ResourceList CountedBy(base::Value quota_spec, const manifests::Kind& kind, const Object& object) {
  const base::Value root = object.document.root();
  if (kind.Resource() == "pods" && manifests::HasEnded(root)) return ResourceList();
  return CountedBy(quota_spec, kind, root);
}

// What every container must say once a quota limits it. Of other amounts pods may say nothing:
// requests.storage is of claims, and an extended resource is for those that use it.
bool IsMandatory(std::string_view name) {
  for (const std::string_view prefix : {"", "requests.", "limits."}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view what = name.substr(prefix.size());
    if (what == "cpu" || what == "memory") return true;
  }
  return false;
}

bool IsPodAmount(std::string_view name) {
  return name == "cpu" || name == "memory" || name.starts_with("requests.") ||
         name.starts_with("limits.");
}

std::vector<std::string> HardNames(const Object& quota) {
  std::vector<std::string> names;
  for (const auto& [name, amount] : quota["spec"]["hard"].Members()) names.emplace_back(name);
  return names;
}

}  // namespace

ResourceList QuotaUsage(const View& view, const manifests::Schema& schema, const Object& quota,
                        const std::vector<std::string>& names) {
  const base::Value spec = quota["spec"];
  ResourceList usage;
  for (const std::string& name : names) usage[name] = manifests::Quantity();
  const bool of_pods = std::any_of(names.begin(), names.end(), IsPodAmount);
  for (const manifests::Kind* kind : schema.kinds()) {
    if (!kind->namespaced) continue;
    const std::string resource = kind->Resource();
    const auto part = usage.lower_bound(resource + ".");  // services.nodeports
    const bool counts = usage.contains("count/" + resource) || usage.contains(resource) ||
                        (part != usage.end() && part->first.starts_with(resource + ".")) ||
                        (of_pods && resource == "pods");
    if (!counts) continue;
    for (const ObjectPtr& object : view.List(kind->Resource(), quota.key.ns)) {
      for (const auto& [name, amount] : CountedBy(spec, *kind, *object)) {
        if (const auto it = usage.find(name); it != usage.end()) it->second = it->second + amount;
      }
    }
  }
  return usage;
}

const ResourceList& QuotaLedger::UsedOf(const View& view, const Object& quota) {
  auto& accounts = accounts_[quota.key.ns];
  const auto [it, added] = accounts.try_emplace(quota.key.name);
  Account& account = it->second;
  if (added) {
    account.quota = view.Get(quota.key);
    account.used = QuotaUsage(view, *view.schema(), quota, HardNames(quota));
  }
  return account.used;
}

void QuotaLedger::Wrote(const View& view, const Object* before, const Object* after) {
  const Object* any = after != nullptr ? after : before;
  if (any == nullptr || accounts_.empty()) return;
  const auto of_namespace = accounts_.find(any->key.ns);
  if (of_namespace == accounts_.end()) return;
  if (any->key.resource == "resourcequotas") of_namespace->second.erase(any->key.name);
  const manifests::Kind* kind = view.schema()->FindByResource(any->key.resource);
  if (kind == nullptr) return;
  for (auto& [quota, account] : of_namespace->second) {
    const auto count = [&](const Object* object, int64_t sign) {
      if (object == nullptr) return;
      for (const auto& [name, amount] : CountedBy((*account.quota)["spec"], *kind, *object)) {
        const auto used = account.used.find(name);
        if (used != account.used.end()) used->second = used->second + amount * sign;
      }
    };
    count(before, -1);
    count(after, 1);
  }
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
      if (pod && IsMandatory(name) && wanted.count(name) == 0) {
        return base::Status(base::Code::kForbidden,
                            "pods \"" + request.key.name + "\" is forbidden: quota " +
                                quota->key.name + " demands that every container sets " +
                                std::string(name) + " (or a LimitRange gives a default)");
      }
      if (wanted.count(name) != 0) names.emplace_back(name);
    }
    if (names.empty()) continue;
    const ResourceList& used = request.quotas.UsedOf(request.view, *quota);
    std::string exceeded;
    for (const std::string& name : names) {
      const auto before = had.find(name);
      const manifests::Quantity own = before == had.end() ? manifests::Quantity() : before->second;
      const manifests::Quantity asked = wanted.find(name)->second - own;
      const manifests::Quantity limit = manifests::Quantity::Of(hard[name]);
      manifests::Quantity now = used.find(name)->second;
      if (request.staged) now = now - asked;
      if (asked <= manifests::Quantity() || now + asked <= limit) continue;
      if (!exceeded.empty()) exceeded += "; ";
      exceeded += name + ": requested " + asked.ToHuman() + ", used " + now.ToHuman() +
                  ", limited to " + limit.ToHuman();
    }
    if (exceeded.empty()) continue;
    if (request.doubt != nullptr) {
      *request.doubt = true;
      continue;
    }
    return base::Status(base::Code::kForbidden, request.kind.Resource() + " \"" + request.key.name +
                                                    "\" is forbidden: exceeded quota " +
                                                    quota->key.name + ": " + exceeded);
  }
  return base::Status();
}

}  // namespace state
