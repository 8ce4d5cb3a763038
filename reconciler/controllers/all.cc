#include "reconciler/controllers/all.h"

namespace reconciler {

std::vector<std::unique_ptr<Controller>> AllControllers(const ControllerSettings& settings) {
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(NewNamespaceController());
  all.push_back(NewServiceAccountController(settings));
  all.push_back(NewNodeAddressController());
  all.push_back(NewNodeLifecycleController(settings));
  all.push_back(NewGarbageCollectorController());
  all.push_back(NewPodCollectorController());
  all.push_back(NewQuotaStatusController());
  all.push_back(NewReplicaSetController());
  all.push_back(NewDeploymentController());
  all.push_back(NewEndpointSliceController());
  all.push_back(NewEventExpiryController());
  return all;
}

}  // namespace reconciler
