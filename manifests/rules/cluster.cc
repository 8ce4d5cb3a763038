// A LimitRange must be able to hold: min <= defaultRequest <= default <= max, each where both are
// given. A default for pods has no meaning, since a pod has no amounts of its own.
#include "manifests/rules/cluster.h"

#include <set>
#include <string>

#include "manifests/quantity.h"
#include "manifests/rules/edit.h"
#include "manifests/rules/pod.h"
#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

std::string TextOf(const Json& amount) {
  return amount.IsString() ? std::string(amount.AsString()) : amount.ToString();
}

void CheckAmount(std::string_view name, const Json& value, const std::string& path,
                 Report& report) {
  if (auto complaint = CheckFormat("qualifiedname", name)) {
    report.Add("FieldValueInvalid", path, *complaint, value.key_mark);
  }
  const auto amount = Quantity::Parse(TextOf(value));
  if (amount.ok() && amount->IsNegative()) report.Invalid(path, "must not be negative", value);
}

// Whether the smaller map's amounts stay within the larger map's.
void CheckOrder(const Json& item, const std::string& path, std::string_view smaller,
                std::string_view larger, Report& report) {
  for (const auto& [name, value] : item[smaller].Members()) {
    const Json* limit = item[larger].Find(name);
    if (IsAbsent(limit)) continue;
    const auto small = Quantity::Parse(TextOf(value));
    const auto large = Quantity::Parse(TextOf(*limit));
    if (!small.ok() || !large.ok() || *small <= *large) continue;
    report.Invalid(JoinKey(Join(path, smaller), name),
                   TextOf(value) + " is more than " + std::string(larger) + ", " + TextOf(*limit),
                   value);
  }
}

void CheckLimitItem(const Json& item, const std::string& path, Report& report) {
  constexpr std::string_view kMaps[] = {"min", "defaultRequest", "default", "max",
                                        "maxLimitRequestRatio"};
  for (const std::string_view map : kMaps) {
    for (const auto& [name, value] : item[map].Members()) {
      const std::string at = JoinKey(Join(path, map), name);
      CheckAmount(name, value, at, report);
      if (map != "maxLimitRequestRatio") WarnOfFewBytes(name, value, at, report);
    }
  }
  if (item["type"].AsString() == "Pod") {
    for (const std::string_view map : {"default", "defaultRequest"}) {
      if (item[map].empty()) continue;
      report.Forbidden(Join(path, map), "has no meaning for type Pod; use type Container",
                       item[map]);
    }
  }
  CheckOrder(item, path, "min", "max", report);
  CheckOrder(item, path, "min", "defaultRequest", report);
  CheckOrder(item, path, "min", "default", report);
  CheckOrder(item, path, "defaultRequest", "default", report);
  CheckOrder(item, path, "defaultRequest", "max", report);
  CheckOrder(item, path, "default", "max", report);
}

// Copies what `to` lacks from `from`; both are members of `item`.
void FillFrom(Json& item, std::string_view from, std::string_view to) {
  const Json source = std::as_const(item)[from];
  if (!source.IsObject() || source.empty()) return;
  SetIfAbsent(item, to, Json::MakeObject());
  Json* target = ObjectAt(item, to);
  if (target == nullptr) return;
  for (const auto& [name, value] : source.Members()) SetIfAbsent(*target, name, value);
}

}  // namespace

void DefaultNamespace(Json& object) {
  Json* metadata = ObjectAt(object, "metadata");
  const std::string name(metadata ? std::as_const(*metadata)["name"].AsString() : "");
  if (!name.empty()) {
    SetIfAbsent(*metadata, "labels", Json::MakeObject());
    if (Json* labels = ObjectAt(*metadata, "labels")) {
      labels->Set("kubernetes.io/metadata.name", name);
    }
  }
  // A namespace that is ending gives its finalizer up, and must not get it back.
  if (metadata && !std::as_const(*metadata)["deletionTimestamp"].IsNull()) return;
  SetIfAbsent(object, "spec", Json::MakeObject());
  if (Json* spec = ObjectAt(object, "spec")) {
    SetIfAbsent(*spec, "finalizers", Json::MakeArray({"kubernetes"}));
  }
}

void CheckNode(const Json& object, Report& report) {
  std::set<std::string> taints;
  size_t index = 0;
  for (const Json& taint : object["spec"]["taints"].Elements()) {
    const std::string at = Join("spec.taints", index++);
    const std::string key =
        std::string(taint["key"].AsString()) + ":" + std::string(taint["effect"].AsString());
    if (!taints.insert(key).second) {
      report.Duplicate(at, "there are two taints " + key, taint);
    }
  }
}

void CheckResourceQuota(const Json& object, Report& report) {
  for (const auto& [name, value] : object["spec"]["hard"].Members()) {
    const std::string at = JoinKey("spec.hard", name);
    CheckAmount(name, value, at, report);
    const std::string_view resource = std::string_view(name).substr(name.find('.') + 1);
    WarnOfFewBytes(resource, value, at, report);  // of "requests.memory"
  }
}

void CheckLimitRange(const Json& object, Report& report) {
  std::set<std::string_view> types;
  size_t index = 0;
  for (const Json& item : object["spec"]["limits"].Elements()) {
    const std::string at = Join("spec.limits", index++);
    const Json& type = item["type"];
    if (!type.AsString().empty() && !types.insert(type.AsString()).second) {
      report.Duplicate(at + ".type", "there are two items of type " + std::string(type.AsString()),
                       type);
    }
    CheckLimitItem(item, at, report);
  }
}

void DefaultLimitRange(Json& object) {
  Json* spec = ObjectAt(object, "spec");
  if (spec == nullptr) return;
  ForEachObject(*spec, "limits", [](Json& item) {
    if (std::as_const(item)["type"].AsString() != "Container") return;
    FillFrom(item, "max", "default");
    FillFrom(item, "default", "defaultRequest");
    FillFrom(item, "min", "defaultRequest");
  });
}

}  // namespace manifests
