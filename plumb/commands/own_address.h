// Which of this machine's addresses others see.
#pragma once

#include <string>

#include "base/status.h"

namespace plumb {

// The source address of packets to `host`, as the kernel's routes have it. kUnavailable.
base::Result<std::string> AddressTowards(const std::string& host);
// Towards everywhere else: that of the default route.
base::Result<std::string> DefaultAddress();

}  // namespace plumb
