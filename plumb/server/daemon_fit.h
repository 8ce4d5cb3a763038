// FitsDaemon, as the reconciler asks for it: the two rooms do not include each other. Pure.
#pragma once

#include "reconciler/controllers/all.h"
#include "scheduler/daemon_fit.h"

namespace plumb {

inline reconciler::DaemonFit FitsDaemon(base::Value pod_spec, const state::Object& node) {
  const scheduler::DaemonFit fit = scheduler::FitsDaemon(pod_spec, node);
  return {fit.should_run, fit.should_continue};
}

}  // namespace plumb
