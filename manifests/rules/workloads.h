// The rules of what makes pods from a template: Deployment, ReplicaSet,
// ReplicationController, DaemonSet.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckReplicaSet(const base::Json& object, Report& report);
void CheckDaemonSet(const base::Json& object, Report& report);
void CheckReplicationController(const base::Json& object, Report& report);
void CheckDeployment(const base::Json& object, Report& report);
// A template's pod defaults; for a Deployment and a DaemonSet also its strategy's.
void DefaultReplicaSet(base::Json& object);
// Without a selector, or labels of its own, it has its template's labels.
void DefaultReplicationController(base::Json& object);
void DefaultDaemonSet(base::Json& object);
void DefaultDeployment(base::Json& object);

}  // namespace manifests
