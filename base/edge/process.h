// Child processes: started without a shell, waited for, ended by their own id.
//
// A Process has one owner, which must Wait() or Release() it. Any thread, one at a time.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace base {

struct ProcessOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  std::optional<std::vector<std::string>> environment;  // "NAME=value"; absent: the parent's
  std::string directory;                                // working directory; empty: the parent's
  // File descriptors for the child's 0, 1 and 2; -1 is /dev/null. They stay the caller's to close.
  int input = -1;
  int output = -1;
  int error = -1;
  bool new_session = false;       // a session of its own: the terminal's signals do not reach it
  std::string network_namespace;  // path of a network namespace to enter first (by nsenter); empty:
                                  // the parent's
};

struct ExitStatus {
  int code = 0;    // exit code, or 128 + signal
  int signal = 0;  // nonzero if a signal ended it
  bool ok() const { return code == 0; }
};

class Process {
 public:
  static Result<Process> Start(const ProcessOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // a child that was neither waited for nor released is killed and reaped

  pid_t pid() const { return pid_; }
  ExitStatus Wait();                 // blocks
  std::optional<ExitStatus> Poll();  // does not
  // SIGTERM, then SIGKILL after `grace`; returns when it is gone.
  ExitStatus Stop(Duration grace);
  void Signal(int signal);
  void Release() { pid_ = -1; }  // it goes on without us

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

struct RunOutput {
  ExitStatus exit;
  std::string output;
  std::string error;
};
inline constexpr size_t kMaxRunOutput = 16u << 20;  // bytes kept of each of output and error

// Runs to the end with `input` on its standard input. kTimeout (the child is then killed) or
// kNotFound for a missing program; a nonzero exit is not an error here.
Result<RunOutput> RunProcess(ProcessOptions options, std::string_view input, Duration timeout);

// As RunProcess, but a nonzero exit is kInternal with the command and the last line of its standard
// error.
Result<std::string> RunChecked(std::vector<std::string> argv, std::string_view input = {},
                               Duration timeout = Duration::Seconds(60));

}  // namespace base
