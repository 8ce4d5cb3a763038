// ReplicationController: a pod set (pod_sets.cc) whose selector is a plain map of labels.
#include "reconciler/controllers/all.h"
#include "reconciler/pod_sets.h"

namespace reconciler {

std::unique_ptr<Controller> NewReplicationControllerController(const ControllerSettings&) {
  return NewPodSetController("replicationcontroller",
                             {"replicationcontrollers", "ReplicationController", "pods"});
}

}  // namespace reconciler
