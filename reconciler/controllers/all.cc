#include "reconciler/controllers/all.h"

#include "base/status.h"

// One a file of this folder: Name stands for NewNameController, which that file defines. They are
// asked about each change in this order.
#define FOR_EACH_CONTROLLER(DO) \
  DO(ClusterObjects)            \
  DO(Namespace)                 \
  DO(ServiceAccount)            \
  DO(NodeAddress)               \
  DO(NodeLifecycle)             \
  DO(GarbageCollector)          \
  DO(PodCollector)              \
  DO(QuotaStatus)               \
  DO(ReplicaSet)                \
  DO(ReplicationController)     \
  DO(DaemonSet)                 \
  DO(Deployment)                \
  DO(EndpointSlice)             \
  DO(EventExpiry)

namespace reconciler {

#define DECLARE(NAME) std::unique_ptr<Controller> New##NAME##Controller(const ControllerSettings&);
FOR_EACH_CONTROLLER(DECLARE)
#undef DECLARE

std::vector<std::unique_ptr<Controller>> AllControllers(const ControllerSettings& settings) {
  std::vector<std::unique_ptr<Controller>> all;
#define ADD(NAME) all.push_back(New##NAME##Controller(settings));
  FOR_EACH_CONTROLLER(ADD)
#undef ADD
  return all;
}

std::unique_ptr<Controller> NewController(std::string_view name,
                                          const ControllerSettings& settings) {
  for (std::unique_ptr<Controller>& each : AllControllers(settings)) {
    if (each->name() == name) return std::move(each);
  }
  CHECK(!"no controller of this name");
  return nullptr;
}

}  // namespace reconciler
