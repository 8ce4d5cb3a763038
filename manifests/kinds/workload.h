// What workloads with replicas have in common. Pure.
#pragma once

#include <optional>

#include "manifests/kinds/kind_facts.h"

namespace manifests {

// spec.replicas (1 if it says nothing) pods of spec.template; none of what is being deleted.
std::optional<PodDemand> ReplicasOfTemplate(base::Value workload);

// Failed when no pod can be made (a quota, say), healthy when all replicas are available.
Health HealthOfReplicas(base::Value workload);

}  // namespace manifests
