// Container logs as the runtime writes them (the CRI format: time, stream, tag, text), read for
// people: the text alone, or with its time.
//
// LogReader: one owner, any thread; blocks on the disk only. LogFollower: loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/edge/files.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/status.h"
#include "base/time.h"

namespace nodeagent {

struct LogOptions {
  bool follow = false;
  std::optional<int64_t> tail_lines;
  base::WallTime since;  // zero: from the beginning
  bool timestamps = false;
  std::optional<int64_t> limit_bytes;
};

class LogReader {
 public:
  LogReader(std::string path, LogOptions options);

  // What can be read now, at most kLogChunkBytes or a little more; "" if there is nothing (yet).
  // Goes on in the new file when the log was rotated. kNotFound if there is no log.
  base::Result<std::string> Next();
  bool limit_reached() const { return limit_reached_; }

 private:
  base::Status Open();
  base::Status SeekTail();
  bool Fill();
  bool Rotated() const;
  void TakeLine(std::string_view line, std::string& out);
  void Append(std::string_view text, std::string& out);

  const std::string path_;
  const LogOptions options_;
  base::UniqueFd file_;
  std::string buffer_;    // read, but not a whole line yet
  bool in_line_ = false;  // a partial line was given out: no time before its rest
  int64_t given_ = 0;
  bool limit_reached_ = false;
};
inline constexpr size_t kLogChunkBytes = 64 << 10;
inline constexpr size_t kMaxLogLineBytes = 1 << 20;  // what is longer is cut into lines

// Follows a log on the loop's workers until its end: without `follow` the end of the file; with it
// the end of the container, which `running` tells.
class LogFollower {
 public:
  // Called on the loop with pieces, then once with `end` and how it ended. Return false to hear no
  // more.
  using Sink = std::function<bool(std::string_view bytes, bool end, const base::Status& status)>;

  LogFollower(base::Loop& loop, std::string path, LogOptions options, std::function<bool()> running,
              Sink sink);
  ~LogFollower();

 private:
  struct Step {
    base::Result<std::string> bytes;
    bool limit_reached;
  };
  void Read();
  void Got(const Step& step, bool was_running);

  base::Loop& loop_;
  const bool follow_;
  const std::function<bool()> running_;
  const Sink sink_;
  std::shared_ptr<LogReader> reader_;  // a worker's while it reads
  base::Loop::TimerId timer_ = 0;
  base::Lifeline lifeline_;
};
inline constexpr base::Duration kLogPoll = base::Duration::Millis(200);

// The last lines of a log, at most that many and that many bytes: what a container said last.
base::Result<std::string> ReadLogEnd(const std::string& path, size_t lines, size_t bytes);

}  // namespace nodeagent
