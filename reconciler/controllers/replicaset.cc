// ReplicaSet: a pod set (pod_sets.cc) whose selector is a LabelSelector.
#include "reconciler/controllers/all.h"
#include "reconciler/pod_sets.h"

namespace reconciler {

std::unique_ptr<Controller> NewReplicaSetController(const ControllerSettings&) {
  return NewPodSetController("replicaset", {"replicasets.apps", "ReplicaSet", "pods"});
}

}  // namespace reconciler
