// What controllers ask about pods; the conditions that they read and write. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "manifests/kinds/conditions.h"
#include "state/object.h"

namespace reconciler {

using manifests::ConditionIs;
using manifests::ConditionOf;
using manifests::RemoveCondition;
using manifests::SetCondition;

base::WallTime TimeOf(base::Value text);  // RFC 3339; the beginning of time, if it is none
bool HasEnded(const state::Object& pod);  // Succeeded or Failed
// Neither ended nor ending.
bool IsActive(const state::Object& pod);
bool IsReady(const state::Object& pod);  // condition Ready is True
// Ready for at least `min_ready_seconds`. If it is ready but not yet for so long, `wait` is set to
// what is missing.
bool IsAvailable(const state::Object& pod, int64_t min_ready_seconds, base::WallTime now,
                 base::Duration* wait);

// An owner reference that makes `owner` the controller of what carries it.
base::Json ControllerReference(const state::Object& owner);

}  // namespace reconciler
