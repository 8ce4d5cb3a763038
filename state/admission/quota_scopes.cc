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

template <typename V>
bool InScope(std::string_view scope, const V& spec) {
  if (scope == "Terminating") return !spec["activeDeadlineSeconds"].IsNull();
  if (scope == "NotTerminating") return spec["activeDeadlineSeconds"].IsNull();
  if (scope == "BestEffort") return IsBestEffort(spec);
  if (scope == "NotBestEffort") return !IsBestEffort(spec);
  if (scope == "PriorityClass") return !spec["priorityClassName"].AsString().empty();
  if (scope == "CrossNamespacePodAffinity") return CrossesNamespaces(spec);
  return false;
}

template <typename V>
bool Matches(base::Value requirement, const V& spec) {
  const std::string_view scope = requirement["scopeName"].AsString();
  const std::string_view wanted = requirement["operator"].AsString();
  if (wanted == "Exists") return InScope(scope, spec);
  if (wanted == "DoesNotExist") return !InScope(scope, spec);
  if (scope != "PriorityClass") return false;
  const std::string_view priority = spec["priorityClassName"].AsString();
  bool listed = false;
  for (base::Value value : requirement["values"].Elements()) listed |= value.AsString() == priority;
  return wanted == "In" ? listed : !listed;
}

template <typename V>
bool Covers(base::Value quota, const V& spec) {
  for (base::Value scope : quota["scopes"].Elements()) {
    if (!InScope(scope.AsString(), spec)) return false;
  }
  for (base::Value requirement : quota["scopeSelector"]["matchExpressions"].Elements()) {
    if (!Matches(requirement, spec)) return false;
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
