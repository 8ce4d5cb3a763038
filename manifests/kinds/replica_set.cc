// One that is kept for a rollback only, without a pod, is not shown.
#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/workload.h"

namespace manifests {
namespace {

bool IsKeptForRollback(base::Value set) {
  return set["spec"]["replicas"].AsInt(1) == 0 && set["status"]["replicas"].AsInt() == 0;
}

}  // namespace

extern constinit const KindFacts kReplicaSetFacts = {
    .resource = "replicasets.apps",
    .observed = true,
    .health = HealthOfReplicas,
    .adoptable = true,
    .selectable = true,
    .pods = ReplicasOfTemplate,
    .hidden = IsKeptForRollback,
};

}  // namespace manifests
