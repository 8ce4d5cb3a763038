#include "manifests/kinds/workload.h"

#include "manifests/kinds/conditions.h"

namespace manifests {

std::optional<PodDemand> ReplicasOfTemplate(base::Value workload) {
  if (workload["metadata"]["deletionTimestamp"].IsString()) return std::nullopt;
  const base::Value spec = workload["spec"];
  return PodDemand{spec["template"]["spec"], spec["replicas"].AsInt(1)};
}

Health HealthOfReplicas(base::Value workload) {
  const base::Value failure = ConditionOf(workload["status"], "ReplicaFailure");
  if (failure["status"].AsString() == "True") {
    return {Health::Level::kFailed, SentenceOf(failure)};
  }
  const int64_t want = workload["spec"]["replicas"].AsInt(1);
  const int64_t available = workload["status"]["availableReplicas"].AsInt();
  return {available < want ? Health::Level::kProgressing : Health::Level::kHealthy,
          Share(available, want, "available")};
}

}  // namespace manifests
