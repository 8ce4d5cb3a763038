// The sums that a ResourceQuota limits and reports. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/schema.h"
#include "state/admission/resources.h"
#include "state/view.h"

namespace state {

// How much of each of `names` (keys of spec.hard) a namespace uses. Names that nothing counts stay
// zero.
ResourceList NamespaceUsage(const View& view, const manifests::Schema& schema, std::string_view ns,
                            const std::vector<std::string>& names);

}  // namespace state
