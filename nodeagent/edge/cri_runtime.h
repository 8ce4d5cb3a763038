// CriRuntime: the Runtime that speaks CRI v1 to containerd over its unix socket.
//
// Made, called and destroyed on the loop; no call blocks, threads are gRPC's own. Destroying it
// cancels what is under way: those calls are never answered. A runtime that is away answers
// kUnavailable at once, and is found again when it is back; nothing has to be made anew.
//
// Directories of logs are made if they are missing. A termination message (ContainerState.message)
// is not CRI's: the agent reads it from the file that it mounted.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
#include "base/time.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

struct CriOptions {
  std::string socket;  // a path
  // How long a call may take until it answers kTimeout; the runtime then undoes what it began.
  base::Duration query_timeout = base::Duration::Seconds(10);    // Version, Ready, List, FindImage
  base::Duration change_timeout = base::Duration::Seconds(120);  // sandboxes and containers
  base::Duration pull_timeout = base::Duration::Minutes(15);
};

std::unique_ptr<Runtime> NewCriRuntime(base::Loop& loop, const CriOptions& options);

// Largest message that is sent or received; containerd is configured with the same.
inline constexpr int kMaxCriMessageBytes = 32 << 20;
// What a stopping container may take beyond its grace.
inline constexpr base::Duration kStopSlack = base::Duration::Seconds(30);
// Calls for statuses that one List has under way.
inline constexpr size_t kMaxStatusCalls = 32;

}  // namespace nodeagent
