// A process that is not our child, known again across restarts: its pid with the time it started,
// so that a pid that was given to another process is not taken for it. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace nodeagent {

struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start = 0;  // clock ticks since boot

  bool IsAlive() const;           // a zombie is not
  void Signal(int signal) const;  // only if it is alive
  std::string ToString() const;   // "1234 567890", as kept in a file
  static std::optional<ProcessIdentity> Parse(const std::string& text);
  // Of a process that lives now.
  static std::optional<ProcessIdentity> Of(pid_t pid);
};

// All processes of this machine that live now.
std::vector<pid_t> AllProcesses();

}  // namespace nodeagent
