// The status of a pod, as Kubernetes' PodStatus.
//
// Pure.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "nodeagent/pods/pod_shape.h"

namespace nodeagent {

// Why a container does not run yet, or again.
struct Waiting {
  std::string reason;  // "ImagePullBackOff"
  std::string message;
};

// `waiting` names containers by name; others wait for their turn. `ending`: nothing is started any
// more, because the pod is deleted, done or past its deadline.
base::Json BuildPodStatus(const PodShape& shape, const std::map<std::string, Waiting>& waiting,
                          bool ending);

}  // namespace nodeagent
