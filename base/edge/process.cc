// A child is started by posix_spawn (the parent's memory is not copied), with its signals as at
// boot, nothing but its three streams open, and no shell in between. The program is looked for
// before anything is started, so that a missing one is kNotFound and not an exit code.
//
// Waiting with a deadline is a poll on the child's pidfd. A pid is only signalled before it was
// waited for: until then it cannot belong to another process.
#include "base/edge/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/edge/files.h"

namespace base {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr size_t kMaxCommandInMessage = 200;  // bytes

SteadyTime DeadlineAfter(Duration timeout) {
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout.nanos());
}

// The C library's pidfd_open of Debian 12 is declared without C linkage.
UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

// poll until something happens; false at the deadline.
bool PollUntil(pollfd* polls, size_t count, SteadyTime deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int wait = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
    const int ready = poll(polls, count, wait);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (left.count() <= 0) return false;
  }
}

// What a person reads in a message: the command, shortened.
std::string CommandText(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  if (text.size() > kMaxCommandInMessage) text.resize(kMaxCommandInMessage), text += "...";
  return text;
}

Result<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    // A relative path starts in the child's directory: only the start itself can tell.
    if (name.front() == '/' && access(name.c_str(), X_OK) != 0) {
      return ErrnoStatus("cannot run " + name, errno);
    }
    return name;
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return Status(Code::kNotFound, "cannot run " + name + ": it is not in PATH; install it");
}

// argv with full program names, behind nsenter if a network namespace is asked for.
Result<std::vector<std::string>> ResolveCommand(const ProcessOptions& options) {
  CHECK(!options.argv.empty());
  std::vector<std::string> command = options.argv;
  ASSIGN_OR_RETURN(command.front(), FindProgram(command.front()));
  if (options.network_namespace.empty()) return command;
  if (access(options.network_namespace.c_str(), F_OK) != 0) {
    return ErrnoStatus("cannot enter network namespace " + options.network_namespace, errno);
  }
  ASSIGN_OR_RETURN(const std::string nsenter, FindProgram("nsenter"));
  command.insert(command.begin(), {nsenter, "--net=" + options.network_namespace, "--"});
  return command;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

  // Makes `fd` (-1: /dev/null) the child's `target`.
  Status SetStream(int fd, int target) {
    if (fd < 0) {
      posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0);
      return {};
    }
    // The targets are set one after another: a source among them could be overwritten too early.
    if (fd <= STDERR_FILENO) {
      raised_[target].Reset(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
      if (!raised_[target].valid()) return ErrnoStatus("cannot start a process", errno);
      fd = raised_[target].get();
    }
    posix_spawn_file_actions_adddup2(&actions_, fd, target);
    return {};
  }
  void CloseAllOthers() { posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1); }
  void ChangeDirectory(const std::string& directory) {
    posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }

 private:
  posix_spawn_file_actions_t actions_;
  std::array<UniqueFd, 3> raised_;
};

class SpawnAttributes {
 public:
  explicit SpawnAttributes(bool new_session) {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (new_session) flags |= POSIX_SPAWN_SETSID;
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

Status StartFailed(const ProcessOptions& options, int error) {
  if (!options.directory.empty() && access(options.directory.c_str(), X_OK) != 0) {
    return ErrnoStatus("cannot run " + options.argv.front() + " in directory " + options.directory,
                       errno);
  }
  return ErrnoStatus("cannot run " + options.argv.front(), error);
}

ExitStatus FromWaitStatus(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

// waitpid without its interruptions; nothing if the child still runs.
std::optional<ExitStatus> Reap(pid_t pid, int flags) {
  while (true) {
    int status = 0;
    const pid_t got = waitpid(pid, &status, flags);
    if (got == pid) return FromWaitStatus(status);
    if (got == 0) return std::nullopt;
    CHECK(errno == EINTR);  // ECHILD: somebody else waited for our child, or SIGCHLD is ignored
  }
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// Our end does not block, the child's does.
Result<Pipe> MakeOutputPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("cannot make a pipe", errno);
  Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return ErrnoStatus("cannot make a pipe", errno);
  return made;
}

// A file in memory that reads as `input`: unlike a pipe, it needs nobody to feed it.
Result<UniqueFd> MakeInput(std::string_view input) {
  UniqueFd file(memfd_create("input", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoStatus("cannot hold a process's input", errno);
  while (!input.empty()) {
    const ssize_t written = write(file.get(), input.data(), input.size());
    if (written < 0) return ErrnoStatus("cannot hold a process's input", errno);
    input.remove_prefix(static_cast<size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

// Appends what is in the pipe now, drops what exceeds kMaxRunOutput, and closes it at its end. The
// bound is above a pipe's capacity: all that a child wrote before it ended is read by one call,
// and a descendant that goes on writing cannot hold us.
void DrainPipe(UniqueFd& pipe, std::string& out) {
  char buffer[64 << 10];
  for (int i = 0; i < 32 && pipe.valid(); ++i) {
    const ssize_t got = read(pipe.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return pipe.Reset();
    out.append(buffer, std::min(static_cast<size_t>(got), kMaxRunOutput - out.size()));
  }
}

// Collects output until the child ends; false at the deadline.
Result<bool> CollectOutput(pid_t pid, Pipe& out, Pipe& err, SteadyTime deadline, RunOutput& run) {
  const UniqueFd ended = OpenPidfd(pid);
  if (!ended.valid()) return ErrnoStatus("cannot watch a process", errno);
  while (true) {
    pollfd polls[3] = {
        {ended.get(), POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    if (!PollUntil(polls, 3, deadline)) return false;
    if (out.read.valid()) DrainPipe(out.read, run.output);
    if (err.read.valid()) DrainPipe(err.read, run.error);
    if (polls[0].revents != 0) return true;
  }
}

std::string LastLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const size_t newline = text.rfind('\n');
  return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

}  // namespace

Result<Process> Process::Start(const ProcessOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> command, ResolveCommand(options));
  SpawnActions actions;
  RETURN_IF_ERROR(actions.SetStream(options.input, STDIN_FILENO));
  RETURN_IF_ERROR(actions.SetStream(options.output, STDOUT_FILENO));
  RETURN_IF_ERROR(actions.SetStream(options.error, STDERR_FILENO));
  actions.CloseAllOthers();
  if (!options.directory.empty()) actions.ChangeDirectory(options.directory);
  const SpawnAttributes attributes(options.new_session);
  const std::vector<char*> argv = Pointers(command);
  const std::vector<char*> given =
      options.environment ? Pointers(*options.environment) : std::vector<char*>();
  pid_t pid = -1;
  const int error = posix_spawn(&pid, command.front().c_str(), actions.get(), attributes.get(),
                                argv.data(), options.environment ? given.data() : environ);
  if (error != 0) return StartFailed(options, error);
  return Process(pid);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);  // the child that was ours ends with `other`
  return *this;
}

Process::~Process() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

ExitStatus Process::Wait() {
  CHECK(pid_ > 0);
  return *Reap(std::exchange(pid_, -1), 0);
}

std::optional<ExitStatus> Process::Poll() {
  CHECK(pid_ > 0);
  const std::optional<ExitStatus> exit = Reap(pid_, WNOHANG);
  if (exit) pid_ = -1;
  return exit;
}

ExitStatus Process::Stop(Duration grace) {
  CHECK(pid_ > 0);
  const UniqueFd ended = OpenPidfd(pid_);
  Signal(SIGTERM);
  pollfd polls = {ended.get(), POLLIN, 0};
  // Without a free descriptor there is no way to wait with a limit: then there is no grace.
  if (!ended.valid() || !PollUntil(&polls, 1, DeadlineAfter(grace))) Signal(SIGKILL);
  return Wait();
}

void Process::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

Result<RunOutput> RunProcess(ProcessOptions options, std::string_view input, Duration timeout) {
  const SteadyTime deadline = DeadlineAfter(timeout);
  UniqueFd in;
  if (!input.empty()) {
    ASSIGN_OR_RETURN(in, MakeInput(input));
    options.input = in.get();
  }
  ASSIGN_OR_RETURN(Pipe out, MakeOutputPipe());
  ASSIGN_OR_RETURN(Pipe err, MakeOutputPipe());
  options.output = out.write.get();
  options.error = err.write.get();
  options.new_session = true;  // so that the deadline ends what the child started, too
  ASSIGN_OR_RETURN(Process process, Process::Start(options));
  out.write.Reset();
  err.write.Reset();

  RunOutput run;
  ASSIGN_OR_RETURN(const bool in_time, CollectOutput(process.pid(), out, err, deadline, run));
  if (!in_time) {
    kill(-process.pid(), SIGKILL);
    process.Wait();
    return Status(Code::kTimeout, CommandText(options.argv) + ": did not end within " +
                                      timeout.ToString() + " and was killed");
  }
  run.exit = process.Wait();
  return run;
}

Result<std::string> RunChecked(std::vector<std::string> argv, std::string_view input,
                               Duration timeout) {
  ProcessOptions options;
  options.argv = std::move(argv);
  ASSIGN_OR_RETURN(RunOutput run, RunProcess(options, input, timeout));
  if (run.exit.ok()) return std::move(run.output);
  std::string message = CommandText(options.argv) + ": ";
  message += run.exit.signal != 0 ? "ended by signal " + std::to_string(run.exit.signal)
                                  : "exit code " + std::to_string(run.exit.code);
  if (const std::string reason = LastLine(run.error); !reason.empty()) message += ": " + reason;
  return Status(Code::kInternal, std::move(message));
}

}  // namespace base
