// Which pods a ResourceQuota counts (Kubernetes, "Quota scopes"). All of spec.scopes and of
// spec.scopeSelector must match:
//   Terminating                 the pod has an activeDeadlineSeconds
//   BestEffort                  no container requests or limits cpu or memory
//   PriorityClass               it names a class; a selector may say which
//   CrossNamespacePodAffinity   a term of its pod (anti-)affinity names namespaces
// NotTerminating and NotBestEffort are the opposites. There are no claims, so VolumeAttributesClass
// matches nothing.
#include <algorithm>

#include "state/admission/quota.h"

namespace state {
namespace {

template <typename V>
bool IsBestEffort(const V& spec) {
  for (const char* field : {"requests", "limits"}) {
    for (const auto& [name, amount] : manifests::PodResources(spec, field)) {
      if ((name == "cpu" || name == "memory") && !amount.IsZero()) return false;
    }
  }
  return true;
}

template <typename V>
bool NamesNamespaces(const V& term) {
  return !term["namespaces"].empty() || term["namespaceSelector"].IsObject();
}

template <typename V>
bool CrossesNamespaces(const V& spec) {
  for (const char* affinity : {"podAffinity", "podAntiAffinity"}) {
    const auto& terms = spec["affinity"][affinity];
    for (const auto& term : terms["requiredDuringSchedulingIgnoredDuringExecution"].Elements()) {
      if (NamesNamespaces(term)) return true;
    }
    for (const auto& term : terms["preferredDuringSchedulingIgnoredDuringExecution"].Elements()) {
      if (NamesNamespaces(term["podAffinityTerm"])) return true;
    }
  }
  return false;
}

// What scopes ask of a pod: a quota may have many, and a pod many containers.
struct Traits {
  bool terminating, best_effort, crosses_namespaces;
  std::string_view priority;
};

template <typename V>
Traits TraitsOf(const V& spec) {
  return {!spec["activeDeadlineSeconds"].IsNull(), IsBestEffort(spec), CrossesNamespaces(spec),
          spec["priorityClassName"].AsString()};
}

bool InScope(std::string_view scope, const Traits& pod) {
  if (scope == "Terminating") return pod.terminating;
  if (scope == "NotTerminating") return !pod.terminating;
  if (scope == "BestEffort") return pod.best_effort;
  if (scope == "NotBestEffort") return !pod.best_effort;
  if (scope == "PriorityClass") return !pod.priority.empty();
  if (scope == "CrossNamespacePodAffinity") return pod.crosses_namespaces;
  return false;
}

bool Matches(base::Value requirement, const Traits& pod) {
  const std::string_view scope = requirement["scopeName"].AsString();
  const std::string_view wanted = requirement["operator"].AsString();
  if (wanted == "Exists") return InScope(scope, pod);
  if (wanted == "DoesNotExist") return !InScope(scope, pod);
  if (scope != "PriorityClass") return false;
  bool listed = false;
  for (base::Value value : requirement["values"].Elements())
    listed |= value.AsString() == pod.priority;
  return wanted == "In" ? listed : !listed;
}

template <typename V>
bool Covers(base::Value quota, const V& spec) {
  if (!HasScopes(quota)) return true;
  const Traits pod = TraitsOf(spec);
  for (base::Value scope : quota["scopes"].Elements()) {
    if (!InScope(scope.AsString(), pod)) return false;
  }
  for (base::Value requirement : quota["scopeSelector"]["matchExpressions"].Elements()) {
    if (!Matches(requirement, pod)) return false;
  }
  return true;
}

}  // namespace

bool QuotaCoversPod(base::Value spec, base::Value pod_spec) { return Covers(spec, pod_spec); }
bool QuotaCoversPod(base::Value spec, const base::Json& pod_spec) { return Covers(spec, pod_spec); }

bool HasScopes(base::Value spec) {
  return !spec["scopes"].empty() || !spec["scopeSelector"]["matchExpressions"].empty();
}

}  // namespace state
