// Push: puts an image into a registry that speaks plain HTTP on this machine.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "nodeagent/edge/oci_image.h"

namespace plumb {

// To 127.0.0.1:`port`, as `repository`:`tag`. Sends nothing that the registry has; true if it had
// the whole image.
base::Result<bool> PushImage(uint16_t port, const std::string& repository, const std::string& tag,
                             const nodeagent::OciImage& image);

}  // namespace plumb
