// The sums that a ResourceQuota limits and reports, and which pods it speaks of. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifests/kinds/pod_resources.h"
#include "manifests/schema.h"
#include "state/view.h"

namespace state {

using manifests::ResourceList;

// How much of each of `names` (keys of spec.hard) the objects that the quota covers use. Names that
// nothing counts stay zero.
ResourceList QuotaUsage(const View& view, const manifests::Schema& schema, const Object& quota,
                        const std::vector<std::string>& names);

// True if a quota's `spec` counts pods with that spec: all of its scopes match.
bool QuotaCoversPod(base::Value spec, base::Value pod_spec);
bool QuotaCoversPod(base::Value spec, const base::Json& pod_spec);

// True if the quota's `spec` names scopes: then it counts pods only.
bool HasScopes(base::Value spec);

}  // namespace state
