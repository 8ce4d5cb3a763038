// LogFollower: reads a container's log on the loop's workers into a stream, until its end: without
// `follow` that of the file, with it that of the container. It reads no faster than the stream
// takes.
//
// Loop only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "nodeagent/pods/container_logs.h"

namespace nodeagent {

class LogFollower {
 public:
  // `running` tells whether the container that writes the log of that path does. `done` is called
  // when the stream is closed, and may destroy this. `logs` outlives it.
  LogFollower(base::Loop& loop, ContainerLogs& logs, std::string directory,
              state::LogRequest request, std::function<bool(const std::string& path)> running,
              std::unique_ptr<base::Duplex> stream, std::function<void()> done);
  ~LogFollower();

 private:
  struct Step {
    std::shared_ptr<LogText> text;
    base::Result<std::string> bytes;
  };
  void Read();
  void Got(const Step& step, bool was_running);

  base::Loop& loop_;
  ContainerLogs& logs_;
  const std::string directory_;
  const state::LogRequest request_;
  const std::function<bool(const std::string&)> running_;
  const std::unique_ptr<base::Duplex> stream_;
  const std::function<void()> done_;
  std::shared_ptr<LogText> text_;  // a worker's while it reads
  bool waiting_ = false;           // for the stream to take what it has
  base::Loop::TimerId timer_ = 0;
  base::Lifeline lifeline_;
};
inline constexpr base::Duration kLogPoll = base::Duration::Millis(200);

}  // namespace nodeagent
