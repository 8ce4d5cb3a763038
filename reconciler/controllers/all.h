// All controllers, in one table.
#pragma once

#include <memory>
#include <vector>

#include "reconciler/controller.h"

namespace reconciler {

std::vector<std::unique_ptr<Controller>> AllControllers();

// One a file of this folder.
std::unique_ptr<Controller> NewReplicaSetController();

}  // namespace reconciler
