// Pods: what everybody asks about them, and about what makes them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/document.h"
#include "base/json.h"
#include "base/time.h"
#include "manifests/kinds/references.h"

namespace manifests {

// Of a pod.
// It has ended, well or not, and runs no more: status.phase is Succeeded or Failed.
bool HasEnded(base::Value pod);
bool IsEndedPhase(std::string_view phase);
// Neither ended nor ending.
bool IsActivePod(base::Value pod);
bool IsReadyPod(base::Value pod);  // condition Ready is True
// It is bound to a node and has not ended: containers of it may run.
bool IsRunningPod(base::Value pod);

// Of whatever has pods.
// The spec of a Pod, or of the pods in a workload's template; a missing value if it has none.
base::Value PodSpecOf(base::Value object);
const base::Json& PodSpecOf(const base::Json& object);

// The Secrets, ConfigMaps, ServiceAccounts and claims that a Pod names, or the pods of a workload's
// template. V is base::Value or base::Json.
template <typename V>
void PodReferences(const V& pod, const ReferenceVisitor& visit);
template <typename V>
void TemplateReferences(const V& object, const ReferenceVisitor& visit);

}  // namespace manifests
