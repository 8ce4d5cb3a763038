// FitsDaemon: whether a node is one that a DaemonSet's pods run on. The reconciler gets it passed
// in (rooms beside each other do not include each other).
//
// Pure; any thread.
#pragma once

#include "base/document.h"
#include "state/object.h"

namespace scheduler {

struct DaemonFit {
  bool should_run = false;       // a pod is made here, if there is none
  bool should_continue = false;  // a pod that is here stays
};

// `pod_spec` is a v1.PodSpec, a DaemonSet's template or a pod made from it. What all daemons bear
// is counted in whether or not the spec says so. Resources and ports are the scheduler's to check,
// when the pod is placed.
DaemonFit FitsDaemon(base::Value pod_spec, const state::Object& node);

}  // namespace scheduler
