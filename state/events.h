// Events explain what was decided, or what happened, to people who look at an object. Pure.
#pragma once

#include <string_view>

#include "state/draft.h"
#include "state/object.h"

namespace state {

enum class EventType { kNormal, kWarning };

// Who tells, by the names that people look for from Kubernetes.
struct EventSource {
  std::string_view component = "plumb";  // "kubelet", "default-scheduler"
  std::string_view host = {};            // a node
};

// An Event about `object`, at the draft's time; equal ones are counted in one object.
void WriteEvent(Draft& draft, const Object& object, EventType type, std::string_view reason,
                std::string_view message, const EventSource& source = {});

}  // namespace state
