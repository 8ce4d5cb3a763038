// The table cells that no path can name: "=podStatus", "=servicePorts", ... Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "state/object.h"

namespace state {

// The cell of a column whose path is "=RULE".
using CellRule = base::Json (*)(const Object& object, base::WallTime now);

// `name` is without its "=". Null if there is no such rule.
CellRule FindCellRule(std::string_view name);

// The age that kubectl shows: 5s, 3m10s, 25m, 2h5m, 3d4h, 90d, 2y45d, 9y. Two units while the first
// is small, then one.
std::string HumanDuration(base::Duration age);

// HumanDuration since an RFC 3339 time; "<unknown>" if `time` is none.
std::string AgeOf(std::string_view time, base::WallTime now);

}  // namespace state
