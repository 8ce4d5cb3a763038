// Where a pod stands beside others: spec.affinity.podAffinity, podAntiAffinity and
// topologySpreadConstraints. Label selectors must be readable; keys whose values are taken from the
// pod itself need a selector that they add to; one that must be equal cannot be in that selector,
// nor be one that must differ. Fewest domains only make sense where the scheduler must obey.
#include <set>
#include <string>

#include "manifests/rules/metadata.h"
#include "manifests/rules/pod.h"
#include "manifests/selector.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

void CheckLabelSelector(const Json& selector, const std::string& path, Report& report) {
  if (!selector.IsObject()) return;
  CheckLabels(selector["matchLabels"], path + ".matchLabels", report);
  size_t index = 0;
  for (const Json& each : selector["matchExpressions"].Elements()) {
    const std::string at = Join(Join(path, "matchExpressions"), index++) + ".values";
    const std::string_view op = each["operator"].AsString();
    const bool needs = op == "In" || op == "NotIn";
    if (needs && each["values"].empty()) {
      report.Required(at, "operator " + std::string(op) + " needs values", each);
    } else if ((op == "Exists" || op == "DoesNotExist") && !each["values"].empty()) {
      report.Forbidden(at, "operator " + std::string(op) + " takes no values", each["values"]);
    }
  }
}

using Keys = std::set<std::string_view>;

Keys KeysNamedBy(const Json& selector) {
  Keys keys;
  for (const Json::Member& member : selector["matchLabels"].Members()) keys.insert(member.key);
  for (const Json& each : selector["matchExpressions"].Elements())
    keys.insert(each["key"].AsString());
  return keys;
}

// matchLabelKeys and mismatchLabelKeys beside the labelSelector of `object`.
void CheckLabelKeys(const Json& object, const std::string& path, Report& report) {
  const Json& selector = object["labelSelector"];
  for (const std::string_view name : {"matchLabelKeys", "mismatchLabelKeys"}) {
    if (object[name].empty() || !selector.IsNull()) continue;
    report.Forbidden(Join(path, name), "needs a labelSelector beside it; add one or remove this",
                     object[name]);
  }
  const Keys selected = KeysNamedBy(selector);
  Keys matched;
  size_t index = 0;
  for (const Json& key : object["matchLabelKeys"].Elements()) {
    const std::string at = Join(path + ".matchLabelKeys", index++);
    matched.insert(key.AsString());
    if (selected.contains(key.AsString()))
      report.Invalid(at, "stands in labelSelector too; keep one of the two", key);
  }
  index = 0;
  for (const Json& key : object["mismatchLabelKeys"].Elements()) {
    const std::string at = Join(path + ".mismatchLabelKeys", index++);
    if (matched.contains(key.AsString()))
      report.Invalid(at, "stands in matchLabelKeys too; keep one of the two", key);
  }
}

void CheckTerm(const Json& term, const std::string& path, Report& report) {
  CheckLabelSelector(term["labelSelector"], path + ".labelSelector", report);
  CheckLabelSelector(term["namespaceSelector"], path + ".namespaceSelector", report);
  CheckLabelKeys(term, path, report);
}

}  // namespace

void CheckPodAffinity(const Json& affinity, const std::string& path, Report& report) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  size_t index = 0;
  for (const Json& term : affinity[kRequired].Elements()) {
    CheckTerm(term, Join(Join(path, kRequired), index++), report);
  }
  index = 0;
  for (const Json& preferred : affinity[kPreferred].Elements()) {
    CheckTerm(preferred["podAffinityTerm"],
              Join(Join(path, kPreferred), index++) + ".podAffinityTerm", report);
  }
}

void CheckTopologySpread(const Json& constraints, const std::string& path, Report& report) {
  size_t index = 0;
  for (const Json& constraint : constraints.Elements()) {
    const std::string at = Join(path, index++);
    CheckLabelSelector(constraint["labelSelector"], at + ".labelSelector", report);
    CheckLabelKeys(constraint, at, report);
    if (!constraint["minDomains"].IsNull() &&
        constraint["whenUnsatisfiable"].AsString() == "ScheduleAnyway") {
      report.Invalid(at + ".minDomains",
                     "works with whenUnsatisfiable DoNotSchedule only; remove it",
                     constraint["minDomains"]);
    }
  }
}

}  // namespace manifests
