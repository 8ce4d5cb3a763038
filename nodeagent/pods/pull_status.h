// Why an image could not be pulled, from what the runtime says. Pure; any thread.
#pragma once

#include <string>

#include "base/status.h"

namespace nodeagent {

// The failure of a pull that the runtime answered with `code` and `message`: kNotFound (no such
// image), kForbidden (credentials missing or refused), kTimeout, kUnavailable (the registry cannot
// be reached), kInvalid (no image reference), else `code`.
base::Status PullStatus(const std::string& reference, base::Code code, const std::string& message);

}  // namespace nodeagent
