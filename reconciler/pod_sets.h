// Pod sets: the controllers of kinds that keep spec.replicas equal pods, which differ in name only:
// ReplicaSet and ReplicationController.
#pragma once

#include <memory>
#include <string_view>

#include "reconciler/claims.h"
#include "reconciler/controller.h"

namespace reconciler {

// `name` and what `kinds` refers to live as long as the program.
std::unique_ptr<Controller> NewPodSetController(std::string_view name, const ClaimKinds& kinds);

}  // namespace reconciler
