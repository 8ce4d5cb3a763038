// StatusText: a StatusReport as a page for people. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/time.h"
#include "plumb/reports/text.h"

namespace plumb {

// `report` as ClusterStatus made it, with the server's `version`, or as ObjectStatus did.
std::string StatusText(const base::Json& report, const std::string& server, base::WallTime now,
                       const Style& style);

}  // namespace plumb
