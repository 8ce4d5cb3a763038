#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/workload.h"

namespace manifests {

extern constinit const KindFacts kReplicationControllerFacts = {
    .resource = "replicationcontrollers",
    .observed = true,
    .health = HealthOfReplicas,
    .pods = ReplicasOfTemplate,
    .short_quota = true,
};

}  // namespace manifests
