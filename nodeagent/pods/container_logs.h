// The seam to the logs that containers write.
//
// edge/log_reader reads the runtime's files; testing/fake_container_logs the fake runtime's memory.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "state/pod_stream.h"

namespace nodeagent {

// The text of one log, read on. One owner, any thread; calls block on the disk only.
class LogText {
 public:
  virtual ~LogText() = default;
  // What can be read now, at most kLogChunkBytes or a little more; "" if there is nothing (yet).
  virtual base::Result<std::string> Next() = 0;
  // All that was asked for has been given out.
  virtual bool limit_reached() const = 0;
  // Where the log is, as PodWorkers::RunningLogs has it.
  virtual const std::string& path() const = 0;
};
inline constexpr size_t kLogChunkBytes = 64u << 10;

class ContainerLogs {
 public:
  virtual ~ContainerLogs() = default;
  // The log of the newest attempt in a container's directory, or with `previous` of the one before.
  // kNotFound if there is none. Any thread; blocks on the disk only.
  virtual base::Result<std::unique_ptr<LogText>> Open(const std::string& directory,
                                                      const state::LogRequest& request) = 0;
};

}  // namespace nodeagent
