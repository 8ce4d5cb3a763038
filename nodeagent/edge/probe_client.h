// The ProbeClient over sockets: one thread that waits for all of them together, so that a pod that
// does not answer holds up nobody else.
//
// Made, called and destroyed on the loop; destroying it drops what is under way unanswered.
#pragma once

#include <cstddef>
#include <memory>

#include "base/loop.h"
#include "nodeagent/pods/probe_client.h"

namespace nodeagent {

std::unique_ptr<ProbeClient> NewProbeClient(base::Loop& loop);

// Beyond these a question is answered kTooManyRequests.
inline constexpr size_t kMaxProbesUnderWay = 2000;

}  // namespace nodeagent
