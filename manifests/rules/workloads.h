// The rules of what makes pods from a template: Deployment, ReplicaSet.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckReplicaSet(const base::Json& object, Report& report);
void CheckDeployment(const base::Json& object, Report& report);
// A template's pod defaults; for a Deployment also its strategy's.
void DefaultReplicaSet(base::Json& object);
void DefaultDeployment(base::Json& object);

}  // namespace manifests
