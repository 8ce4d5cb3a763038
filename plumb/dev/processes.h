// Processes: the cluster's daemons by pid file, and all that belongs to the cluster by what marks
// it: a network namespace of the cluster, or an environment variable that daemons hand down.
//
// A process is only ever signalled through a pidfd that was opened before it was identified: a
// recycled pid cannot be hit. Any thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/edge/files.h"
#include "base/status.h"
#include "base/time.h"
#include "plumb/dev/namespaces.h"

namespace plumb {

inline constexpr size_t kMaxDaemonLogBytes = 64 << 20;  // a longer log is set aside at a start
// In the environment of every daemon and of what it starts: "PREFIX" or "PREFIX/MEMBER".
inline constexpr std::string_view kMarkVariable = "PLUMB_DEV_MEMBER";

// One process, pinned: it may end, but its id cannot come to mean another one.
class PinnedProcess {
 public:
  static std::optional<PinnedProcess> Open(pid_t pid);
  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  bool WaitEnd(base::Duration timeout) const;  // true if it has ended

 private:
  PinnedProcess(pid_t pid, base::UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}
  pid_t pid_;
  base::UniqueFd fd_;
};

// A program that the cluster keeps running.
struct Daemon {
  std::string name;               // of its log and pid file
  std::string network_namespace;  // its name; empty: the caller's
  std::vector<std::string> argv;
  std::string mark;  // value of kMarkVariable
  // It is ready when these files exist, this Unix socket accepts connections, and this IPv4 address
  // does, seen from its namespace; each if there is one.
  std::vector<std::string> ready_files;
  std::string ready_socket;
  std::string ready_address;
  uint16_t ready_port = 0;
  base::Duration stop_grace = base::Duration::Seconds(10);
};

// The daemon's process if it runs. A pid file of an earlier boot or of another process means no.
std::optional<PinnedProcess> FindDaemon(std::string_view directory, std::string_view name);

// True if the process has the daemon's command line.
bool RunsAs(const PinnedProcess& process, const Daemon& daemon);

// Starts it in a session of its own, its output in its log, unless it runs; true if it was started.
base::Result<bool> StartDaemon(std::string_view directory, const Daemon& daemon);

// Waits until it is ready. kUnavailable, with the end of its log, if it ends before.
base::Status AwaitDaemon(std::string_view directory, const Daemon& daemon, base::Duration timeout);

// SIGTERM to all at once, SIGKILL to those that outlast their grace; removes the pid files.
void StopDaemons(std::string_view directory, const std::vector<Daemon>& daemons);

// What makes a process the cluster's.
struct Belonging {
  std::string mark;  // kMarkVariable has this value, or one below it ("MARK/..."); empty: unmarked
  std::vector<NamespaceId> networks = {};
  std::vector<std::string> cgroups = {};  // "/a/b": it is in one of these, or below
};
// Never the caller, its own network namespace or process 1.
std::vector<PinnedProcess> FindProcesses(const Belonging& belonging);
// SIGKILL until none is left; the pids of those that stayed.
std::vector<pid_t> KillProcesses(const Belonging& belonging);

// The last lines of a log, for messages; "" if there is none.
std::string LogTail(std::string_view directory, std::string_view name, int lines);

// True if a connection to the IPv4 address is accepted, made in the network namespace of that name.
bool Accepts(std::string_view network_namespace, const std::string& address, uint16_t port);
// True if the Unix socket accepts a connection.
bool SocketAccepts(const std::string& path);

}  // namespace plumb
