// All controllers, in one table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "reconciler/controller.h"

namespace reconciler {

// What controllers are told once, since they have no memory and read no files.
struct ControllerSettings {
  base::WallTime started;      // of the server: silence before it counts for nothing
  std::string ca_certificate;  // PEM, published in every namespace; empty: none is
};

std::vector<std::unique_ptr<Controller>> AllControllers(const ControllerSettings& settings = {});

// Makes the namespaces that every cluster has, where they are missing. The server calls it once at
// start, before anything else is written; later the namespace controller keeps them.
base::Status EnsureClusterObjects(state::Draft& draft);

// Pods that ended are kept to be read about, up to so many.
inline constexpr size_t kMostEndedPods = 2000;

// One a file of this folder.
std::unique_ptr<Controller> NewReplicaSetController();
std::unique_ptr<Controller> NewDeploymentController();
std::unique_ptr<Controller> NewEndpointSliceController();
std::unique_ptr<Controller> NewEventExpiryController();
std::unique_ptr<Controller> NewNamespaceController();
std::unique_ptr<Controller> NewServiceAccountController(const ControllerSettings& settings);
std::unique_ptr<Controller> NewNodeAddressController();
std::unique_ptr<Controller> NewGarbageCollectorController();
std::unique_ptr<Controller> NewNodeLifecycleController(const ControllerSettings& settings);
std::unique_ptr<Controller> NewPodCollectorController(size_t most_ended_pods = kMostEndedPods);
std::unique_ptr<Controller> NewQuotaStatusController();

}  // namespace reconciler
