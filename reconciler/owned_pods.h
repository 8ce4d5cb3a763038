// Pods that a controller makes from a template. Each that comes or goes is an event on its owner.
// Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "reconciler/controller.h"

namespace reconciler {

// What was refused when it was to be made (by a quota, say) is tried again after this.
inline constexpr base::Duration kRetryCreate = base::Duration::Seconds(5);

// A pod of `owner`, as `pod_template` has it; its name is made when it is created.
base::Json PodFromTemplate(const state::Object& owner, base::Value pod_template);

// A refusal (a quota, say) is an event too; the turn comes again for it after a while.
base::Result<state::ObjectPtr> CreatePod(Turn& turn, const state::Object& owner, base::Json pod);
base::Status DeletePod(Turn& turn, const state::Object& owner, const state::Object& pod);

}  // namespace reconciler
