// The downward API: a pod's own fields and resources as values for its containers.
//
// Pure. The paths are those of Kubernetes' ObjectFieldSelector and ResourceFieldSelector.
#pragma once

#include <string>

#include "base/status.h"
#include "nodeagent/pod_context.h"

namespace nodeagent {

// metadata.name, metadata.labels['app'], status.podIP, ...; kInvalid names a path that is not
// served, kUnavailable one that is not known yet.
base::Result<std::string> FieldValue(const PodContext& context, std::string_view path);

// A resourceFieldRef; `container` is the one that asks, unless the reference names another.
base::Result<std::string> ResourceValue(const PodContext& context, base::Value container,
                                        base::Value reference);

// A container's limit of a resource, or what the node has if it sets none; in thousandths.
int64_t LimitMillis(const PodContext& context, base::Value container, std::string_view resource);

}  // namespace nodeagent
