// NewPodRunner: a scheduler and kubelet for tests, as a controller. It binds every pod to the node
// that it is made for, or to n1, runs it, gives it an address, makes it ready by a rule, and lets a
// deleted one end. One that has ended it leaves alone.
#pragma once

#include <functional>
#include <memory>

#include "reconciler/controller.h"

namespace reconciler {

struct PodRules {
  base::Duration ready_after = base::Duration::Seconds(2);  // its creation
  base::Duration ends_after = base::Duration::Seconds(1);   // it was told to, at most its grace
  // Pods that never become ready; null: none.
  std::function<bool(const state::Object& pod)> broken;
};

std::unique_ptr<Controller> NewPodRunner(PodRules rules);

}  // namespace reconciler
