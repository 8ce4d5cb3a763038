// What a Pod asks for, as quotas, limits and the scheduler count it. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "manifests/quantity.h"

namespace manifests {

using ResourceList = std::map<std::string, Quantity, std::less<>>;

// The effective requests (or limits, with field "limits") of a pod's spec: the sum over its
// containers, but at least what its largest init container needs while it runs alone; containers
// that restart always (sidecars) count in both.
ResourceList PodResources(base::Value spec, std::string_view field);
ResourceList PodResources(const base::Json& spec, std::string_view field);

// Kubernetes' quality of service of a pod's spec: Guaranteed if every container has limits of cpu
// and memory, and requests as much; BestEffort if none asks for any; else Burstable.
std::string_view QosClass(base::Value spec);
std::string_view QosClass(const base::Json& spec);

void AddResources(ResourceList& to, const ResourceList& more);

}  // namespace manifests
