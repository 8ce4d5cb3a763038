// What is asked of a pod's node over a stream: a container's log, a command to run.
//
// Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "state/object.h"

namespace state {

// The query of pods/NAME/log. The stream carries the text, and nothing the other way.
struct LogRequest {
  Key pod;
  std::string container;
  bool follow = false;
  bool previous = false;  // of the instance before the one that runs now
  bool timestamps = false;
  std::optional<int64_t> tail_lines;
  std::optional<int64_t> limit_bytes;
  base::WallTime since;  // zero: from the start
};

// The query of pods/NAME/exec. The stream carries channel messages (base/net/remote_channels.h)
// both ways; the last one from the node is how the command ended.
struct ExecRequest {
  Key pod;
  std::string container;
  std::vector<std::string> command;
  bool stdin_open = false;
  bool stdout_open = false;
  bool stderr_open = false;  // not with a terminal
  bool terminal = false;
};

using StreamRequest = std::variant<LogRequest, ExecRequest>;

// A request, and the node that the pod is bound to.
struct PodStream {
  std::string node;
  StreamRequest request;
};

inline constexpr size_t kMaxExecCommandBytes = 1u << 20;

}  // namespace state
