// While input is fed, output is taken as well, so that parent and child never wait for each other;
// it is kept until it can be sent, within kMaxEarlyOutputBytes.
//
// The input is a socket, not a pipe: writing to one whose reader is gone is an error here and not a
// signal. The child leads a session, so that one signal reaches git's own children and the hook,
// too; it first gets SIGTERM, upon which git removes its lock files.
//
// Its limits are set from here, before it is fed anything: git starts its own children, which
// inherit them, only for what it has read.
#include "gitsync/edge/git_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;
using base::UniqueFd;

namespace {

using Clock = std::chrono::steady_clock;
inline constexpr std::chrono::seconds kGrace(2);  // between SIGTERM and SIGKILL
constexpr size_t kReadBytes = 64 << 10;
// As git says it; what a hook prints may say so as well, but not on a line that begins like these.
constexpr std::string_view kComplaints[] = {"fatal: ", "error: "};
constexpr std::string_view kOutOfMemory[] = {"Out of memory", "out of memory",
                                             "Cannot allocate memory"};
constexpr std::string_view kOutOfTime = "died of signal 24";  // SIGXCPU

// Whether a line of `text` is git's complaint of `word`.
bool Complains(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool complaint =
        std::any_of(std::begin(kComplaints), std::end(kComplaints),
                    [&](std::string_view start) { return line.starts_with(start); });
    if (complaint && line.find(word) != std::string_view::npos) return true;
  }
  return false;
}

constexpr uint64_t kCpuPatience = 5;  // seconds from SIGXCPU to SIGKILL

Status Limit(pid_t pid, const GitLimits& limits) {
  const auto set = [&](__rlimit_resource resource, uint64_t soft, uint64_t hard) {
    const rlimit limit = {soft, hard};
    return soft == 0 || prlimit(pid, resource, &limit, nullptr) == 0;
  };
  // At the soft limit comes SIGXCPU, which says what it is for; at the hard one, SIGKILL.
  if (set(RLIMIT_AS, limits.memory_bytes, limits.memory_bytes) &&
      set(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + kCpuPatience))
    return {};
  return base::ErrnoStatus("cannot limit git", errno);
}

// poll until something happens; false at the deadline.
bool PollUntil(pollfd* polls, size_t count, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const int ready =
        poll(polls, count, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (left.count() <= 0) return false;
  }
}

struct Ends {
  UniqueFd ours;
  UniqueFd child;
};

Result<Ends> MakeInput() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return base::ErrnoStatus("cannot make a socket pair", errno);
  }
  return Ends{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<Ends> MakeOutput() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return base::ErrnoStatus("cannot make a pipe", errno);
  Ends made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    return base::ErrnoStatus("cannot make a pipe", errno);
  }
  return made;
}

// Appends what can be read now, at most one piece; closes the pipe at its end.
void ReadPiece(UniqueFd& pipe, std::string& into) {
  char buffer[kReadBytes];
  const ssize_t got = read(pipe.get(), buffer, sizeof buffer);
  if (got > 0) into.append(buffer, static_cast<size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) pipe.Reset();
}

}  // namespace

std::string LimitSentence(const GitLimits& limits, std::string_view words) {
  const auto says = [&](std::string_view word) { return Complains(words, word); };
  if (std::any_of(std::begin(kOutOfMemory), std::end(kOutOfMemory), says)) {
    return "git may use " + std::to_string(limits.memory_bytes >> 20) +
           " MiB, and what was sent unpacks to more than that; keep files of that size out of the "
           "repository";
  }
  if (says(kOutOfTime)) {
    return "git may take " + std::to_string(limits.cpu_seconds) +
           " s of a processor, and what was sent takes more; push less at once, and keep large "
           "files out of the repository";
  }
  return "";
}

Result<std::unique_ptr<GitChild>> GitChild::Start(std::vector<std::string> argv,
                                                  std::vector<std::string> environment,
                                                  base::Duration timeout, const GitLimits& limits) {
  ASSIGN_OR_RETURN(Ends input, MakeInput());
  ASSIGN_OR_RETURN(Ends output, MakeOutput());
  ASSIGN_OR_RETURN(Ends error, MakeOutput());
  base::ProcessOptions options;
  options.argv = std::move(argv);
  options.environment = std::move(environment);
  options.directory = "/";
  options.input = input.child.get();
  options.output = output.child.get();
  options.error = error.child.get();
  options.new_session = true;
  ASSIGN_OR_RETURN(base::Process process, base::Process::Start(options));
  RETURN_IF_ERROR(Limit(process.pid(), limits));
  return std::unique_ptr<GitChild>(new GitChild(
      std::move(process), std::move(input.ours), std::move(output.ours), std::move(error.ours),
      Clock::now() + std::chrono::nanoseconds(timeout.nanos())));
}

GitChild::GitChild(base::Process process, UniqueFd input, UniqueFd output, UniqueFd error,
                   Deadline deadline)
    : process_(std::move(process)),
      input_(std::move(input)),
      output_(std::move(output)),
      error_(std::move(error)),
      deadline_(deadline) {}

GitChild::~GitChild() { Kill(); }

bool GitChild::PollStreams(bool want_write) {
  pollfd polls[3] = {{output_.get(), POLLIN, 0},
                     {error_.get(), POLLIN, 0},
                     {want_write ? input_.get() : -1, POLLOUT, 0}};
  return PollUntil(polls, 3, deadline_);
}

void GitChild::DrainOutput(std::string& into) {
  if (output_.valid()) ReadPiece(output_, into);
}

void GitChild::DrainError() {
  if (!error_.valid()) return;
  ReadPiece(error_, error_tail_);
  if (error_tail_.size() > kMaxErrorTailBytes) {
    error_tail_.erase(0, error_tail_.size() - kMaxErrorTailBytes);
  }
}

Status GitChild::Late() const {
  return Status(Code::kTimeout, "git did not end within its time and was stopped");
}

Status GitChild::Feed(std::string_view bytes) {
  while (!bytes.empty() && input_.valid()) {
    if (!PollStreams(/*want_write=*/true)) return Late();
    DrainOutput(early_);
    DrainError();
    if (early_.size() > kMaxEarlyOutputBytes) {
      return Status(Code::kTooLarge, "git answered more than " +
                                         std::to_string(kMaxEarlyOutputBytes) +
                                         " bytes before it had read the request");
    }
    const ssize_t sent =
        send(input_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) input_.Reset();
  }
  return {};
}

Result<std::string> GitChild::Read() {
  std::string piece = std::exchange(early_, "");
  while (piece.empty() && output_.valid()) {
    if (!PollStreams(/*want_write=*/false)) return Late();
    DrainOutput(piece);
    DrainError();
  }
  return piece;
}

bool GitChild::AwaitEnd(Deadline until) {
  // The C library's pidfd_open of Debian 12 is declared without C linkage.
  const UniqueFd ended(static_cast<int>(syscall(SYS_pidfd_open, process_.pid(), 0)));
  if (!ended.valid()) return false;
  pollfd polls = {ended.get(), POLLIN, 0};
  return PollUntil(&polls, 1, until);
}

base::ExitStatus GitChild::Wait() {
  if (running_) {
    input_.Reset();
    if (!AwaitEnd(deadline_)) {
      Kill();
    } else {
      DrainError();
      exit_ = process_.Wait();
      running_ = false;
    }
  }
  return exit_;
}

void GitChild::Kill() {
  if (!running_) return;
  // Its process group cannot be another's until we have waited for it.
  kill(-process_.pid(), SIGTERM);
  AwaitEnd(Clock::now() + kGrace);
  kill(-process_.pid(), SIGKILL);
  exit_ = process_.Wait();
  running_ = false;
}

}  // namespace gitsync
