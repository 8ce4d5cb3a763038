// What several controllers of the cluster's own objects say and do. Pure.
#pragma once

#include <string_view>

#include "reconciler/controller.h"

namespace reconciler {

// An Event that is written only if none of this reason and message is there about `object`. For
// states that last: looked at again, they are no news, and a second pass writes nothing.
void EventOnce(Turn& turn, const state::Object& object, EventType type, std::string_view reason,
               std::string_view message);

// Sets condition Ready of a pod to False, so that no service sends it anything: for pods whose node
// can no longer say so. Nothing changes for a pod that is not ready, or has ended.
base::Status MarkPodNotReady(Turn& turn, const state::Key& pod, std::string_view reason,
                             std::string_view message);

}  // namespace reconciler
