// A controller owns the pods that its selector finds, so the selector must find the pods that its
// template makes, and must not be empty, or it would find them all. A rolling update must be able
// to move: maxSurge and maxUnavailable cannot both be zero.
#include "manifests/rules/workloads.h"

#include <charconv>
#include <optional>
#include <string>

#include "base/document.h"
#include "manifests/rules/edit.h"
#include "manifests/rules/metadata.h"
#include "manifests/rules/pod.h"
#include "manifests/selector.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

// The pods that the template makes are found.
void CheckTemplateLabels(const LabelSelector& selector, const Json& spec, Report& report) {
  const Json& labels = spec["template"]["metadata"]["labels"];
  const base::Document document(labels.IsObject() ? labels : Json::MakeObject());
  if (selector.Matches(document.root())) return;
  report.Invalid("spec.template.metadata.labels",
                 "the selector (" + selector.ToString() +
                     ") does not find these pods; give the template the labels that it asks for",
                 labels.IsObject() ? labels : spec["template"]);
}

void CheckSelector(const Json& spec, Report& report) {
  const Json& selector = spec["selector"];
  if (!selector.IsObject()) return;
  CheckLabels(selector["matchLabels"], "spec.selector.matchLabels", report);
  if (selector["matchLabels"].empty() && selector["matchExpressions"].empty()) {
    report.Required("spec.selector", "an empty selector would find every pod; set matchLabels",
                    selector);
    return;
  }
  const auto parsed = LabelSelector::FromObject(selector);
  if (!parsed.ok()) {
    report.Invalid("spec.selector", std::string(parsed.status().message()), selector);
    return;
  }
  CheckTemplateLabels(*parsed, spec, report);
}

struct Amount {
  int64_t value;
  bool percent;
};

// 3 or "25%"; nothing for what is neither.
std::optional<Amount> ReadAmount(const Json& json) {
  if (json.IsInt()) return Amount{json.AsInt(), false};
  const std::string_view text = json.AsString();
  if (text.size() < 2 || text.back() != '%' || text.front() == '-') return std::nullopt;
  int64_t value = 0;
  const char* last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return Amount{value, true};
}

// Of a DaemonSet: a node has either no pod for a while, or two.
void CheckDaemonUpdate(const Json& strategy, Report& report) {
  const std::string path = "spec.updateStrategy.rollingUpdate";
  const Json& rolling = strategy["rollingUpdate"];
  if (!rolling.IsObject()) return;
  if (strategy["type"].AsString() == "OnDelete") {
    report.Forbidden(path, "has no meaning with type OnDelete; remove it", rolling);
    return;
  }
  // The defaults are 1 and 0.
  int64_t amounts[] = {1, 0};
  constexpr std::string_view kFields[] = {"maxUnavailable", "maxSurge"};
  for (size_t i = 0; i < 2; ++i) {
    const Json& value = rolling[kFields[i]];
    if (value.IsNull()) continue;
    const auto amount = ReadAmount(value);
    if (amount) amounts[i] = amount->value;
    if (!amount && value.IsString())
      report.Invalid(Join(path, kFields[i]), "must be a number or a percentage like 25%", value);
    if (amount && amount->percent && amount->value > 100)
      report.Invalid(Join(path, kFields[i]), "must be at most 100%", value);
  }
  const bool unavailable = amounts[0] != 0, surge = amounts[1] != 0;
  if (unavailable == surge) {
    report.Invalid(path + ".maxSurge",
                   surge
                       ? "cannot be set beside maxUnavailable; set that to 0"
                       : "cannot be 0 when maxUnavailable is 0 too: no pod could ever be replaced",
                   rolling["maxSurge"].IsNull() ? rolling : rolling["maxSurge"]);
  }
}

void CheckRollingUpdate(const Json& rolling, Report& report) {
  const std::string path = "spec.strategy.rollingUpdate";
  bool all_zero = true;
  for (const std::string_view field : {"maxSurge", "maxUnavailable"}) {
    const Json& value = rolling[field];
    if (value.IsNull()) {
      all_zero = false;  // the default is 25%
      continue;
    }
    const auto amount = ReadAmount(value);
    if (!amount) {
      if (value.IsString()) {
        report.Invalid(Join(path, field), "must be a number or a percentage like 25%", value);
      }
      all_zero = false;
      continue;
    }
    if (field == "maxUnavailable" && amount->percent && amount->value > 100) {
      report.Invalid(Join(path, field), "must be at most 100%", value);
    }
    all_zero = all_zero && amount->value == 0;
  }
  if (all_zero) {
    report.Invalid(path + ".maxUnavailable",
                   "cannot be 0 when maxSurge is 0 too: no pod could ever be replaced",
                   rolling["maxUnavailable"]);
  }
}

void CheckStrategy(const Json& strategy, Report& report) {
  const Json& rolling = strategy["rollingUpdate"];
  if (rolling.IsNull()) return;
  if (strategy["type"].AsString() == "Recreate") {
    report.Forbidden("spec.strategy.rollingUpdate", "has no meaning with type Recreate; remove it",
                     rolling);
    return;
  }
  if (rolling.IsObject()) CheckRollingUpdate(rolling, report);
}

void DefaultTemplate(Json& object) {
  Json* spec = ObjectAt(object, "spec");
  Json* pod_template = spec ? ObjectAt(*spec, "template") : nullptr;
  Json* pod_spec = pod_template ? ObjectAt(*pod_template, "spec") : nullptr;
  if (pod_spec != nullptr) DefaultPodSpec(*pod_spec);
}

}  // namespace

void CheckReplicaSet(const Json& object, Report& report) {
  const Json& spec = object["spec"];
  CheckSelector(spec, report);
  CheckPodTemplate(spec["template"], "spec.template", report);
}

void CheckDaemonSet(const Json& object, Report& report) {
  CheckReplicaSet(object, report);
  CheckDaemonUpdate(object["spec"]["updateStrategy"], report);
}

void CheckReplicationController(const Json& object, Report& report) {
  const Json& spec = object["spec"];
  const Json& selector = spec["selector"];
  if (selector.empty()) {
    report.Required("spec.selector",
                    "an empty selector would find every pod; give it, or the template, labels",
                    spec);
  } else if (selector.IsObject()) {
    CheckLabels(selector, "spec.selector", report);
    const base::Document document(selector);
    CheckTemplateLabels(LabelSelector::FromMap(document.root()), spec, report);
  }
  CheckPodTemplate(spec["template"], "spec.template", report);
}

void CheckDeployment(const Json& object, Report& report) {
  CheckReplicaSet(object, report);
  const Json& spec = object["spec"];
  CheckStrategy(spec["strategy"], report);
  const Json& deadline = spec["progressDeadlineSeconds"];
  if (!deadline.IsNull() && deadline.AsInt() <= spec["minReadySeconds"].AsInt()) {
    report.Invalid("spec.progressDeadlineSeconds", "must be more than minReadySeconds", deadline);
  }
}

void DefaultReplicaSet(Json& object) { DefaultTemplate(object); }

void DefaultReplicationController(Json& object) {
  DefaultTemplate(object);
  const Json labels = std::as_const(object)["spec"]["template"]["metadata"]["labels"];
  if (!labels.IsObject() || labels.empty()) return;
  Json* spec = ObjectAt(object, "spec");
  if (std::as_const(*spec)["selector"].empty()) spec->Set("selector", labels);
  Json* metadata = ObjectAt(object, "metadata");
  if (metadata != nullptr && std::as_const(*metadata)["labels"].empty())
    metadata->Set("labels", labels);
}

void DefaultDaemonSet(Json& object) {
  DefaultTemplate(object);
  Json* spec = ObjectAt(object, "spec");
  Json* strategy = spec ? ObjectAt(*spec, "updateStrategy") : nullptr;
  if (strategy == nullptr || std::as_const(*strategy)["type"].AsString() != "RollingUpdate") return;
  SetIfAbsent(*strategy, "rollingUpdate",
              Json::MakeObject({{"maxSurge", 0}, {"maxUnavailable", 1}}));
}

void DefaultDeployment(Json& object) {
  DefaultTemplate(object);
  Json* spec = ObjectAt(object, "spec");
  Json* strategy = spec ? ObjectAt(*spec, "strategy") : nullptr;
  if (strategy == nullptr || std::as_const(*strategy)["type"].AsString() != "RollingUpdate") return;
  SetIfAbsent(*strategy, "rollingUpdate",
              Json::MakeObject({{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}));
}

}  // namespace manifests
