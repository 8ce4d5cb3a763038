// Conditions: what an object says about itself in status.conditions, one entry a type.
//
// Pure; any thread. Reference: Kubernetes API conventions, "Typical status properties".
#pragma once

#include <string>
#include <string_view>

#include "base/document.h"
#include "base/json.h"
#include "base/time.h"

namespace manifests {

// The condition of this type, or a missing value.
base::Value ConditionOf(base::Value status, std::string_view type);
const base::Json& ConditionOf(const base::Json& status, std::string_view type);

// True if there is such a condition and its status is `value`.
bool ConditionIs(base::Value status, std::string_view type, std::string_view value);
bool ConditionIs(const base::Json& status, std::string_view type, std::string_view value);

// "Reason: message", or what there is of it.
std::string SentenceOf(base::Value condition);

// Sets a condition of `status`. Its lastTransitionTime moves only when its status does; nothing
// changes if status, reason and message are as they were. The entry, for more to be set in it.
base::Json& SetCondition(base::Json& status, std::string_view type, std::string_view value,
                         std::string_view reason, std::string_view message, base::WallTime now);

void RemoveCondition(base::Json& status, std::string_view type);

// For who writes all its conditions anew: since when the condition has had this status in `before`,
// else `now`.
base::Json HeldSince(const base::Json& before, std::string_view type, std::string_view value,
                     base::WallTime now);

}  // namespace manifests
