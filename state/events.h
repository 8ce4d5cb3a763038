// Events explain what was decided, or what happened, to people who look at an object. Pure.
#pragma once

#include <string_view>

#include "state/draft.h"
#include "state/object.h"

namespace state {

enum class EventType { kNormal, kWarning };

// An Event about `object`, at the draft's time; equal ones are counted in one object.
void WriteEvent(Draft& draft, const Object& object, EventType type, std::string_view reason,
                std::string_view message);

}  // namespace state
