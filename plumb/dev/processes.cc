// A daemon is known by its pid file, which also tells the boot and the start time of the process
// that it means: pids are used again, these three together are not. Between the start and the
// writing of the pid file a crash can come; so a start first looks for a process that bears the
// daemon's mark and command line, and adopts it.

#include "plumb/dev/processes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/edge/process.h"
#include "base/json.h"
#include "plumb/dev/layout.h"

namespace plumb {
namespace {

constexpr size_t kMaxProcFileBytes = 4 << 20;
constexpr size_t kMaxTailBytes = 4096;
constexpr base::Duration kReadyPoll = base::Duration::Millis(10);
constexpr base::Duration kConnectTimeout = base::Duration::Seconds(1);
constexpr base::Duration kKillTimeout = base::Duration::Seconds(10);

base::MonotonicTime Monotonic() {
  return base::MonotonicTime::FromNanos(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                            std::chrono::steady_clock::now().time_since_epoch())
                                            .count());
}

std::string ProcFile(pid_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

std::string ReadProc(pid_t pid, std::string_view name) {
  base::Result<std::string> text = base::ReadFile(ProcFile(pid, name), kMaxProcFileBytes);
  return text.ok() ? *std::move(text) : "";
}

// State and start time from proc(5)'s stat: fields 3 and 22, counted behind the name in brackets,
// which may hold anything.
struct ProcStat {
  char state = 'X';
  uint64_t start_ticks = 0;
};
std::optional<ProcStat> ReadStat(pid_t pid) {
  std::string text = ReadProc(pid, "stat");
  size_t at = text.rfind(')');
  if (at == std::string::npos || at + 2 >= text.size()) return std::nullopt;
  ProcStat stat;
  stat.state = text[at + 2];
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  stat.start_ticks = strtoull(text.c_str() + at + 1, nullptr, 10);
  return stat;
}

std::string BootId() {
  base::Result<std::string> text = base::ReadFile("/proc/sys/kernel/random/boot_id", 100);
  return text.ok() ? *std::move(text) : "";
}

bool HasEnded(const std::optional<ProcStat>& stat) {
  return !stat || stat->state == 'Z' || stat->state == 'X';
}

base::Status WritePidFile(std::string_view directory, std::string_view name, pid_t pid) {
  std::optional<ProcStat> stat = ReadStat(pid);
  base::Json json = base::Json::MakeObject(
      {{"pid", int64_t{pid}},
       {"startTicks", stat ? static_cast<int64_t>(stat->start_ticks) : int64_t{0}},
       {"boot", BootId()}});
  return base::WriteFileAtomic(PidPath(directory, name), json.ToString() + "\n", 0600);
}

// True if the variable has this value or one below it.
bool IsMarked(std::string_view environment, std::string_view mark) {
  std::string wanted = std::string(kMarkVariable) + "=" + std::string(mark);
  while (!environment.empty()) {
    size_t end = std::min(environment.find('\0'), environment.size());
    std::string_view entry = environment.substr(0, end);
    if (entry.substr(0, wanted.size()) == wanted) {
      return entry.size() == wanted.size() || entry[wanted.size()] == '/';
    }
    environment.remove_prefix(std::min(end + 1, environment.size()));
  }
  return false;
}

// proc(5), cgroup: lines of "number:controllers:/path".
bool IsInCgroup(std::string_view text, const std::vector<std::string>& cgroups) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view path = line.substr(std::min(line.find(":/") + 1, line.size()));
    for (const std::string& cgroup : cgroups) {
      if (path.substr(0, cgroup.size()) != cgroup) continue;
      if (path.size() == cgroup.size() || path[cgroup.size()] == '/') return true;
    }
  }
  return false;
}

std::vector<std::string> MarkedEnvironment(const std::string& mark) {
  std::vector<std::string> result;
  std::string begin = std::string(kMarkVariable) + "=";
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text = *entry;
    if (text.compare(0, begin.size(), begin) != 0) result.push_back(std::move(text));
  }
  result.push_back(begin + mark);
  return result;
}

std::optional<pid_t> FindUnrecorded(const Daemon& daemon) {
  for (const PinnedProcess& process : FindProcesses({daemon.mark})) {
    if (RunsAs(process, daemon)) return process.pid();
  }
  return std::nullopt;
}

// A daemon's log goes on where it ended; a very long one is set aside first.
base::Result<base::UniqueFd> OpenLog(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) == 0 && file.st_size > static_cast<off_t>(kMaxDaemonLogBytes)) {
    rename(path.c_str(), (path + ".1").c_str());
  }
  base::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::ErrnoStatus(path, errno);
  fchmod(fd.get(), 0600);  // an earlier plumb let everybody read it
  return fd;
}

bool IsReady(const Daemon& daemon) {
  for (const std::string& path : daemon.ready_files) {
    if (access(path.c_str(), F_OK) != 0) return false;
  }
  if (!daemon.ready_socket.empty() && !SocketAccepts(daemon.ready_socket)) return false;
  return daemon.ready_port == 0 ||
         Accepts(daemon.network_namespace, daemon.ready_address, daemon.ready_port);
}

base::Status ConnectOnce(const std::string& address, uint16_t port) {
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &target.sin_addr);
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = 0;
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&target), sizeof(target)) != 0) error = errno;
  if (error == EINPROGRESS) {
    pollfd poll_fd{fd.get(), POLLOUT, 0};
    socklen_t length = sizeof(error);
    error = ETIMEDOUT;
    if (poll(&poll_fd, 1, static_cast<int>(kConnectTimeout.millis())) == 1) {
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    }
  }
  return error == 0 ? base::Status() : base::ErrnoStatus(address, error);
}

}  // namespace

std::optional<PinnedProcess> PinnedProcess::Open(pid_t pid) {
  base::UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return std::nullopt;
  return PinnedProcess(pid, std::move(fd));
}

void PinnedProcess::Signal(int signal) const {
  syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0);
}

bool PinnedProcess::WaitEnd(base::Duration timeout) const {
  pollfd poll_fd{fd_.get(), POLLIN, 0};
  return poll(&poll_fd, 1, static_cast<int>(std::max<int64_t>(timeout.millis(), 0))) == 1;
}

std::optional<PinnedProcess> FindDaemon(std::string_view directory, std::string_view name) {
  base::Result<std::string> text = base::ReadFile(PidPath(directory, name), kMaxTailBytes);
  if (!text.ok()) return std::nullopt;
  base::Result<base::Json> json = base::ParseJson(*text);
  if (!json.ok() || (*json)["boot"].AsString() != BootId()) return std::nullopt;
  auto pid = static_cast<pid_t>((*json)["pid"].AsInt());
  if (pid <= 1) return std::nullopt;
  std::optional<PinnedProcess> process = PinnedProcess::Open(pid);
  std::optional<ProcStat> stat = ReadStat(pid);
  if (!process || HasEnded(stat)) return std::nullopt;
  if (static_cast<int64_t>(stat->start_ticks) != (*json)["startTicks"].AsInt()) return std::nullopt;
  return process;
}

bool RunsAs(const PinnedProcess& process, const Daemon& daemon) {
  // A program that was found in PATH is told its full name.
  std::string wanted;
  for (size_t i = 1; i < daemon.argv.size(); ++i) wanted += daemon.argv[i] + '\0';
  std::string command = ReadProc(process.pid(), "cmdline");
  size_t first = command.find('\0');
  if (first == std::string::npos || command.substr(first + 1) != wanted) return false;
  std::string program = command.substr(0, first);
  return program.substr(program.rfind('/') + 1) ==
         daemon.argv[0].substr(daemon.argv[0].rfind('/') + 1);
}

base::Result<bool> StartDaemon(std::string_view directory, const Daemon& daemon) {
  if (FindDaemon(directory, daemon.name)) return false;
  if (std::optional<pid_t> pid = FindUnrecorded(daemon)) {
    RETURN_IF_ERROR(WritePidFile(directory, daemon.name, *pid));
    return false;
  }
  ASSIGN_OR_RETURN(base::UniqueFd log, OpenLog(LogPath(directory, daemon.name)));
  base::ProcessOptions options;
  options.argv = daemon.argv;
  options.environment = MarkedEnvironment(daemon.mark);
  options.directory = "/";
  options.output = log.get();
  options.error = log.get();
  options.new_session = true;
  if (!daemon.network_namespace.empty()) {
    options.network_namespace = NamespacePath(daemon.network_namespace);
  }
  base::Result<base::Process> process = base::Process::Start(options);
  if (!process.ok()) return process.status().WithContext(daemon.name);
  base::Status written = WritePidFile(directory, daemon.name, process->pid());
  if (!written.ok()) return written;  // and the process ends with its owner
  process->Release();
  return true;
}

base::Status AwaitDaemon(std::string_view directory, const Daemon& daemon, base::Duration timeout) {
  base::MonotonicTime deadline = Monotonic() + timeout;
  std::string log = "its log, " + LogPath(directory, daemon.name) + ", ends:\n";
  while (true) {
    std::optional<PinnedProcess> process = FindDaemon(directory, daemon.name);
    if (!process) {
      return {base::Code::kUnavailable,
              daemon.name + " ended at its start; " + log + LogTail(directory, daemon.name, 5)};
    }
    if (IsReady(daemon)) return {};
    if (Monotonic() >= deadline) {
      return {base::Code::kTimeout, daemon.name + " was not ready after " + timeout.ToString() +
                                        "; " + log + LogTail(directory, daemon.name, 5)};
    }
    process->WaitEnd(kReadyPoll);
  }
}

void StopDaemons(std::string_view directory, const std::vector<Daemon>& daemons) {
  base::MonotonicTime started = Monotonic();
  std::vector<std::optional<PinnedProcess>> processes;
  for (const Daemon& daemon : daemons) {
    processes.push_back(FindDaemon(directory, daemon.name));
    if (processes.back()) processes.back()->Signal(SIGTERM);
  }
  for (size_t i = 0; i < daemons.size(); ++i) {
    base::Duration left = daemons[i].stop_grace - (Monotonic() - started);
    if (processes[i] && !processes[i]->WaitEnd(left)) {
      processes[i]->Signal(SIGKILL);
      processes[i]->WaitEnd(kKillTimeout);
    }
    unlink(PidPath(directory, daemons[i].name).c_str());
  }
}

std::vector<PinnedProcess> FindProcesses(const Belonging& belonging) {
  std::vector<PinnedProcess> found;
  base::Result<std::vector<std::string>> names = base::ListDirectory("/proc");
  if (!names.ok()) return found;
  std::optional<NamespaceId> own = ReadNamespaceId("/proc/self/ns/net");
  for (const std::string& name : *names) {
    auto pid = static_cast<pid_t>(strtol(name.c_str(), nullptr, 10));
    if (pid <= 1 || pid == getpid()) continue;
    std::optional<PinnedProcess> process = PinnedProcess::Open(pid);
    if (!process || HasEnded(ReadStat(pid))) continue;
    std::optional<NamespaceId> network = ReadNamespaceId(ProcFile(pid, "ns/net"));
    bool in_network = network && network != own &&
                      std::count(belonging.networks.begin(), belonging.networks.end(), *network);
    bool marked = !belonging.mark.empty() && IsMarked(ReadProc(pid, "environ"), belonging.mark);
    if (in_network || marked || IsInCgroup(ReadProc(pid, "cgroup"), belonging.cgroups)) {
      found.push_back(*std::move(process));
    }
  }
  return found;
}

std::vector<pid_t> KillProcesses(const Belonging& belonging) {
  base::MonotonicTime deadline = Monotonic() + kKillTimeout;
  std::vector<PinnedProcess> processes;
  // More than one round: the last act of a process may be to start another.
  while (!(processes = FindProcesses(belonging)).empty() && Monotonic() < deadline) {
    for (const PinnedProcess& process : processes) process.Signal(SIGKILL);
    for (const PinnedProcess& process : processes) process.WaitEnd(deadline - Monotonic());
  }
  std::vector<pid_t> stayed;
  for (const PinnedProcess& process : processes) stayed.push_back(process.pid());
  return stayed;
}

std::string LogTail(std::string_view directory, std::string_view name, int lines) {
  base::UniqueFd fd(open(LogPath(directory, name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return "";
  off_t size = lseek(fd.get(), 0, SEEK_END);
  off_t begin = std::max<off_t>(size - static_cast<off_t>(kMaxTailBytes), 0);
  std::string text(static_cast<size_t>(size - begin), '\0');
  ssize_t count = pread(fd.get(), text.data(), text.size(), begin);
  text.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  size_t at = text.size();
  for (int i = 0; i <= lines && at != std::string::npos && at > 0; ++i) {
    at = text.rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

bool Accepts(std::string_view network_namespace, const std::string& address, uint16_t port) {
  if (network_namespace.empty()) return ConnectOnce(address, port).ok();
  return InNamespace(network_namespace, [&] { return ConnectOnce(address, port); }).ok();
}

bool SocketAccepts(const std::string& path) {
  sockaddr_un target{};
  target.sun_family = AF_UNIX;
  if (path.size() >= sizeof(target.sun_path)) return false;
  path.copy(target.sun_path, path.size());
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&target), sizeof(target)) == 0;
}

}  // namespace plumb
