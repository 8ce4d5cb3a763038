// The rules of what shapes a cluster: Namespace, Node, ResourceQuota, LimitRange.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

// The label kubernetes.io/metadata.name and the finalizer that empties it first.
void DefaultNamespace(base::Json& object);

void CheckNode(const base::Json& object, Report& report);

void CheckResourceQuota(const base::Json& object, Report& report);
void CheckLimitRange(const base::Json& object, Report& report);
void DefaultLimitRange(base::Json& object);

}  // namespace manifests
