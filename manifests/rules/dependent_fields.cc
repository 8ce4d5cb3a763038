// Some fields exist for certain values of another only: node ports for a Service's type, a rolling
// update for a strategy. The server fills them in, so whoever changes the other field never wrote
// them. What an update leaves as it was therefore goes with the value that it was for; what the
// update itself sets is judged as asked for (Kubernetes, "type-dependent fields").
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "manifests/rules/edit.h"
#include "manifests/validate.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr size_t kMaxValues = 3;

struct Dependent {
  std::string_view resource;
  std::string_view in;  // the object in spec that holds both; empty: spec itself
  std::string_view discriminator;
  std::string_view values[kMaxValues];  // that the field is for
  std::string_view list;                // whose elements have the field; empty: it stands beside
  std::string_view field;
};

constexpr Dependent kDependents[] = {
    {"daemonsets.apps", "updateStrategy", "type", {"RollingUpdate"}, "", "rollingUpdate"},
    {"deployments.apps", "strategy", "type", {"RollingUpdate"}, "", "rollingUpdate"},
    {"services", "", "sessionAffinity", {"ClientIP"}, "", "sessionAffinityConfig"},
    {"services", "", "type", {"ExternalName"}, "", "externalName"},
    {"services", "", "type", {"ClusterIP", "NodePort", "LoadBalancer"}, "", "clusterIP"},
    {"services", "", "type", {"ClusterIP", "NodePort", "LoadBalancer"}, "", "clusterIPs"},
    {"services", "", "type", {"ClusterIP", "NodePort", "LoadBalancer"}, "", "ipFamilies"},
    {"services", "", "type", {"ClusterIP", "NodePort", "LoadBalancer"}, "", "ipFamilyPolicy"},
    {"services",
     "",
     "type",
     {"ClusterIP", "NodePort", "LoadBalancer"},
     "",
     "internalTrafficPolicy"},
    {"services", "", "type", {"NodePort", "LoadBalancer"}, "", "externalTrafficPolicy"},
    {"services", "", "type", {"NodePort", "LoadBalancer"}, "ports", "nodePort"},
    {"services", "", "type", {"LoadBalancer"}, "", "allocateLoadBalancerNodePorts"},
    {"services", "", "type", {"LoadBalancer"}, "", "healthCheckNodePort"},
    {"services", "", "type", {"LoadBalancer"}, "", "loadBalancerClass"},
};

bool IsFor(const Dependent& dependent, std::string_view value) {
  return std::find(std::begin(dependent.values), std::end(dependent.values), value) !=
         std::end(dependent.values);
}

void Drop(const Dependent& dependent, const Json& before, Json& after) {
  if (dependent.list.empty()) {
    const Json* value = after.Find(dependent.field);
    if (value != nullptr && *value == before[dependent.field]) after.Remove(dependent.field);
    return;
  }
  std::set<std::string> had;
  for (const Json& element : before[dependent.list].Elements())
    had.insert(element[dependent.field].ToString());
  ForEachObject(after, dependent.list, [&](Json& element) {
    const Json* value = element.Find(dependent.field);
    if (value != nullptr && had.contains(value->ToString())) element.Remove(dependent.field);
  });
}

}  // namespace

void DropDependent(const Kind& kind, const Json& before, Json& after) {
  const std::string resource = kind.Resource();
  for (const Dependent& dependent : kDependents) {
    if (dependent.resource != resource) continue;
    const Json* was = &before["spec"];
    Json* is = after.IsObject() ? ObjectAt(after, "spec") : nullptr;
    if (!dependent.in.empty()) {
      was = &(*was)[dependent.in];
      is = is != nullptr ? ObjectAt(*is, dependent.in) : nullptr;
    }
    if (is == nullptr) continue;
    const std::string_view old_value = (*was)[dependent.discriminator].AsString();
    const std::string_view new_value = std::as_const(*is)[dependent.discriminator].AsString();
    // One value stays among those that the field is for, or it never was: nothing is left over.
    if (IsFor(dependent, new_value) || !IsFor(dependent, old_value)) continue;
    Drop(dependent, *was, *is);
  }
}

}  // namespace manifests
