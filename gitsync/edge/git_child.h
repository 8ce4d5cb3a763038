// GitChild: a git program as a child, fed and read piecewise with bounded memory.
//
// One thread. Feed all of the input, EndInput, then Read to the end and Wait; or Kill at any time.
// Destruction kills a child that still runs, and the hooks below it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/status.h"
#include "base/time.h"
#include "gitsync/edge/git_host.h"

namespace gitsync {

// What a child may write before it has read all of its input. Git does so in small ways only:
// progress, or one line for each commit that a fetching client has.
inline constexpr size_t kMaxEarlyOutputBytes = 8u << 20;
inline constexpr size_t kMaxErrorTailBytes = 2048;  // kept of its standard error

// What limit a child has met, if its words (kept of its standard error, or of what it sends) say
// so: a sentence, or nothing.
std::string LimitSentence(const GitLimits& limits, std::string_view words);

class GitChild {
 public:
  // The limits hold for each process that git starts as well.
  static base::Result<std::unique_ptr<GitChild>> Start(std::vector<std::string> argv,
                                                       std::vector<std::string> environment,
                                                       base::Duration timeout,
                                                       const GitLimits& limits);
  ~GitChild();

  // Hands bytes to the child. Once it no longer reads they are dropped, and that is OK: what it
  // says explains it. kTimeout at the deadline, kTooLarge beyond kMaxEarlyOutputBytes.
  base::Status Feed(std::string_view bytes);
  void EndInput() { input_.Reset(); }

  // The next output as soon as there is some; empty at its end. kTimeout at the deadline.
  base::Result<std::string> Read();

  base::ExitStatus Wait();  // after the end of output; kills at the deadline
  void Kill();              // with all that it started
  const std::string& error_tail() const { return error_tail_; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  GitChild(base::Process process, base::UniqueFd input, base::UniqueFd output, base::UniqueFd error,
           Deadline deadline);
  bool PollStreams(bool want_write);  // false at the deadline
  void DrainOutput(std::string& into);
  void DrainError();
  base::Status Late() const;
  bool AwaitEnd(Deadline until);

  base::Process process_;
  bool running_ = true;
  base::ExitStatus exit_;
  base::UniqueFd input_, output_, error_;  // ours do not block
  const Deadline deadline_;
  std::string early_;  // output that came while input was fed
  std::string error_tail_;
};

}  // namespace gitsync
