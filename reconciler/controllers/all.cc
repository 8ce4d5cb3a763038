#include "reconciler/controllers/all.h"

namespace reconciler {

std::vector<std::unique_ptr<Controller>> AllControllers() {
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(NewReplicaSetController());
  return all;
}

}  // namespace reconciler
