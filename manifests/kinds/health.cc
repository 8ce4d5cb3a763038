// For all kinds: being deleted is progressing; status.observedGeneration behind metadata.generation
// is progressing. Then the kind's own rule, or its conditions.
#include "manifests/kinds/health.h"

#include "manifests/kinds/conditions.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {

using Level = Health::Level;

bool IsObserved(std::string_view resource, base::Value object) {
  const base::Value observed = object["status"]["observedGeneration"];
  if (!observed.Exists() && !FactsOf(resource).observed) return true;
  return observed.AsInt() >= object["metadata"]["generation"].AsInt();
}

Health HealthOf(std::string_view resource, base::Value object) {
  if (object["metadata"]["deletionTimestamp"].IsString()) {
    return {Level::kProgressing, "being deleted"};
  }
  if (!IsObserved(resource, object)) {
    return {Level::kProgressing, "not yet looked at by its controller"};
  }
  const KindFacts& facts = FactsOf(resource);
  return facts.health != nullptr ? facts.health(object) : HealthByConditions(object);
}

Health HealthByConditions(base::Value object) {
  const base::Value status = object["status"];
  const base::Value stalled = ConditionOf(status, "Stalled");
  const base::Value reconciling = ConditionOf(status, "Reconciling");
  const base::Value ready = ConditionOf(status, "Ready");
  const auto is = [](base::Value condition, std::string_view value) {
    return condition["status"].AsString() == value;
  };
  if (is(stalled, "True")) return {Level::kFailed, SentenceOf(stalled)};
  if (is(reconciling, "True")) return {Level::kProgressing, SentenceOf(reconciling)};
  if (is(ready, "False")) return {Level::kFailed, SentenceOf(ready)};
  if (is(ready, "Unknown")) return {Level::kProgressing, SentenceOf(ready)};
  return {Level::kHealthy, ""};
}

std::string Share(int64_t part, int64_t whole, std::string_view what) {
  return std::to_string(part) + "/" + std::to_string(whole) + " " + std::string(what);
}

}  // namespace manifests
