// Container logs as the runtime writes them (the CRI format: time, stream, tag, text), read for
// people: the text alone, or with its time.
//
// One owner, any thread; blocks on the disk only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/edge/files.h"
#include "base/status.h"
#include "base/time.h"
#include "nodeagent/pods/container_logs.h"

namespace nodeagent {

class LogReader final : public LogText {
 public:
  LogReader(std::string path, state::LogRequest request);

  // Goes on in the new file when the log was rotated. kNotFound if there is no log.
  base::Result<std::string> Next() override;
  bool limit_reached() const override { return limit_reached_; }
  const std::string& path() const override { return path_; }

 private:
  base::Status Open();
  base::Status SeekTail();
  bool Fill();
  bool Rotated() const;
  void TakeLine(std::string_view line, std::string& out);
  void Append(std::string_view text, std::string& out);

  const std::string path_;
  const state::LogRequest request_;
  base::UniqueFd file_;
  std::string buffer_;  // read, but not a whole line yet
  struct Stream {
    bool in_line = false;   // a piece was seen, and its line goes on
    bool left_out = false;  // that line is too old
  } streams_[2];            // stdout, stderr
  int64_t given_ = 0;
  bool limit_reached_ = false;
};
inline constexpr size_t kMaxLogLineBytes = 1 << 20;  // what is longer is cut into lines

// The runtime's files: ATTEMPT.log in a container's directory.
class LogFiles final : public ContainerLogs {
 public:
  base::Result<std::unique_ptr<LogText>> Open(const std::string& directory,
                                              const state::LogRequest& request) override;
};

// The last lines of a log, at most that many and that many bytes: what a container said last.
base::Result<std::string> ReadLogEnd(const std::string& path, size_t lines, size_t bytes);

}  // namespace nodeagent
