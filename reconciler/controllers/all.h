// All controllers, in one table.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/time.h"
#include "reconciler/controller.h"
#include "state/object.h"

namespace reconciler {

// Whether a node is one that pods of a DaemonSet run on.
struct DaemonFit {
  bool should_run = true;       // a pod is to be here
  bool should_continue = true;  // one that is here may stay
  bool operator==(const DaemonFit&) const = default;
};

// What controllers are told once, since they have no memory and read no files.
struct ControllerSettings {
  base::WallTime started;        // of the server: silence before it counts for nothing
  std::string ca_certificate;    // PEM, published in every namespace; empty: none is
  size_t max_ended_pods = 2000;  // pods that ended are kept to be read about, up to so many
  // What the scheduler knows of selectors and taints. By default every node is fit.
  std::function<DaemonFit(base::Value pod_spec, const state::Object& node)> daemon_fit =
      [](base::Value, const state::Object&) { return DaemonFit(); };
};

std::vector<std::unique_ptr<Controller>> AllControllers(const ControllerSettings& settings = {});

// One of them, by its name(); for tests. A programmer error if there is none.
std::unique_ptr<Controller> NewController(std::string_view name,
                                          const ControllerSettings& settings = {});

}  // namespace reconciler
