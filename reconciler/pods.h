// What controllers ask about pods, and the conditions that they write. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "state/object.h"

namespace reconciler {

bool HasEnded(const state::Object& pod);  // Succeeded or Failed
// Neither ended nor ending.
bool IsActive(const state::Object& pod);
bool IsReady(const state::Object& pod);  // condition Ready is True
// Ready for at least `min_ready_seconds`. If it is ready but not yet for so long, `wait` is set to
// what is missing.
bool IsAvailable(const state::Object& pod, int64_t min_ready_seconds, base::WallTime now,
                 base::Duration* wait);

// The condition of this type, or a missing value.
base::Value ConditionOf(base::Value status, std::string_view type);
bool ConditionIs(base::Value status, std::string_view type, std::string_view value);

// Sets a condition in status.conditions. Its lastTransitionTime moves only when its status does;
// nothing changes if status, reason and message are as they were.
void SetCondition(base::Json& status, std::string_view type, std::string_view value,
                  std::string_view reason, std::string_view message, base::WallTime now);
void RemoveCondition(base::Json& status, std::string_view type);

// An owner reference that makes `owner` the controller of what carries it.
base::Json ControllerReference(const state::Object& owner);

}  // namespace reconciler
