// RunCheck: asks one check once, by whichever way it names.
#pragma once

#include <functional>
#include <string>

#include "base/loop.h"
#include "nodeagent/pods/probe.h"
#include "nodeagent/pods/probe_client.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// Loop only; answers on the loop, later, exactly once. A command that exits with another code than
// 0 is kInternal with the end of its output.
void RunCheck(base::Loop& loop, Runtime& runtime, ProbeClient& client,
              const std::string& container_id, const Check& check, base::Duration timeout,
              std::function<void(CheckAnswer)> done);

}  // namespace nodeagent
