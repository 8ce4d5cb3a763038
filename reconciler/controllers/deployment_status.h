// What a Deployment's status says, in the words that kubectl and other clients wait for. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "reconciler/rollout/strategy.h"
#include "state/object.h"

namespace reconciler {

// Sets a condition. lastTransitionTime moves with its status, lastUpdateTime with any of its
// fields, or always if `refresh`: the progress deadline counts from there.
void SetDeploymentCondition(base::Json& status, std::string_view type, std::string_view value,
                            std::string_view reason, std::string_view message, base::WallTime now,
                            bool refresh = false);

// Absent: progress is not judged.
std::optional<base::Duration> ProgressDeadline(const state::Object& deployment);

// The counts; then the conditions Available and ReplicaFailure. `new_set` may be null; `sets` are
// all of them.
void CountReplicas(base::Json& status, const state::Object& deployment,
                   const state::ObjectPtr& new_set, const std::vector<state::ObjectPtr>& sets);
void JudgeAvailability(base::Json& status, const RolloutLimits& limits,
                       const state::ObjectPtr& new_set, const std::vector<state::ObjectPtr>& sets,
                       base::WallTime now);

// All pods are of the new template, available, and there are no others.
bool IsComplete(const base::Json& status, const RolloutLimits& limits);

// The condition Progressing, from what changed between the statuses. Returns how long to wait for
// the deadline, if it is running.
std::optional<base::Duration> JudgeProgress(base::Json& status, base::Value before,
                                            const state::Object& deployment,
                                            const RolloutLimits& limits,
                                            const state::ObjectPtr& new_set, base::WallTime now);

}  // namespace reconciler
