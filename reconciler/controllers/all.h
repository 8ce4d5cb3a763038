// All controllers, in one table.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "reconciler/controller.h"

namespace reconciler {

// What controllers are told once, since they have no memory and read no files.
struct ControllerSettings {
  base::WallTime started;        // of the server: silence before it counts for nothing
  std::string ca_certificate;    // PEM, published in every namespace; empty: none is
  size_t max_ended_pods = 2000;  // pods that ended are kept to be read about, up to so many
};

std::vector<std::unique_ptr<Controller>> AllControllers(const ControllerSettings& settings = {});

// One of them, by its name(); for tests. A programmer error if there is none.
std::unique_ptr<Controller> NewController(std::string_view name,
                                          const ControllerSettings& settings = {});

}  // namespace reconciler
