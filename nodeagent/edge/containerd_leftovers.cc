// Rules:
// - Containers are known by their bundles in containerd's state directory; the identifiers are 256
//   random bits, so whatever names one of them (a process's control group, a record of the pod
//   network) belongs to it. A shim is known by the socket's path on its command line.
// - Killing comes first, and is repeated until nothing is left to kill, since a container may start
//   processes meanwhile; then mounts, innermost first; then files. RemoveTree stops at a mount
//   point, so a mount that could not be removed loses no data of others.
#include "nodeagent/edge/containerd_leftovers.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "base/edge/files.h"
#include "nodeagent/edge/containerd_config.h"
#include "nodeagent/edge/process_identity.h"
#include "nodeagent/edge/sha256.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxProcFile = 4 << 20;
constexpr int kKillRounds = 20;
constexpr int kKillWaitMillis = 250;  // a round, for one process
constexpr size_t kContainerIdLength = 64;
constexpr char kCgroupRoot[] = "/sys/fs/cgroup";
constexpr char kNetworkRecords[] = "/var/lib/cni/results";
constexpr char kShimSockets[] = "/run/containerd/s/";  // fixed in containerd

std::string ReadProc(const std::string& path) {
  auto text = base::ReadFile(path, kMaxProcFile);
  return text.ok() ? *std::move(text) : "";
}

std::vector<std::string> Names(const std::string& directory) {
  auto names = base::ListDirectory(directory);
  return names.ok() ? *std::move(names) : std::vector<std::string>();
}

std::set<std::string> ContainerIds(const std::string& directory) {
  std::set<std::string> ids;
  for (const char* plugin :
       {"/io.containerd.runtime.v2.task/k8s.io", "/io.containerd.grpc.v1.cri/sandboxes",
        "/io.containerd.grpc.v1.cri/containers"}) {
    for (const std::string& top : {ContainerdState(directory), directory + "/root"}) {
      for (const std::string& name : Names(top + plugin)) {
        if (name.size() == kContainerIdLength) ids.insert(name);
      }
    }
  }
  return ids;
}

// The container's id in a line of /proc/PID/cgroup, "4:memory:/k8s.io/ID"; "" if there is none.
std::string IdInCgroup(const std::string& line, const std::set<std::string>& ids) {
  const size_t slash = line.rfind('/');
  if (slash == std::string::npos) return "";
  const std::string name = line.substr(slash + 1);
  return ids.count(name) ? name : "";
}

class Leftovers {
 public:
  explicit Leftovers(const std::string& directory)
      : directory_(directory), ids_(ContainerIds(directory)) {}

  // False if some process does not die.
  bool KillAll() {
    for (int round = 0; round < kKillRounds; ++round) {
      const std::vector<ProcessIdentity> processes = Find();
      if (processes.empty()) return true;
      for (const ProcessIdentity& process : processes) process.Signal(SIGKILL);
      for (const ProcessIdentity& process : processes) WaitForEnd(process);
    }
    return false;
  }

  void Unmount() {
    std::vector<std::string> points;
    std::istringstream lines(ReadProc("/proc/self/mountinfo"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::string skipped, point;
      fields >> skipped >> skipped >> skipped >> skipped >> point;
      if (point.starts_with(directory_ + "/")) points.push_back(point);
    }
    std::reverse(points.begin(), points.end());  // the last mounted is the innermost
    for (const std::string& point : points) umount2(point.c_str(), MNT_DETACH);
  }

  void RemoveCgroups() {
    for (const std::string& controller : Names(kCgroupRoot)) {
      const std::string top = std::string(kCgroupRoot) + "/" + controller;
      for (const std::string& id : ids_) rmdir((top + "/k8s.io/" + id).c_str());
      for (const std::string& path : cgroups_) rmdir((top + path).c_str());
    }
    for (const std::string& id : ids_) {
      rmdir((std::string(kCgroupRoot) + "/k8s.io/" + id).c_str());
    }
    for (const std::string& path : cgroups_) rmdir((kCgroupRoot + path).c_str());
  }

  // A shim's socket is named by the digest of whom it serves and what it runs.
  void RemoveShimSockets() {
    for (const std::string& id : ids_) {
      unlink((kShimSockets + Sha256(ContainerdSocket(directory_) + "/k8s.io/" + id)).c_str());
    }
  }

  void RemoveNetworkRecords() {
    for (const std::string& name : Names(kNetworkRecords)) {
      for (const std::string& id : ids_) {
        if (name.find(id) == std::string::npos) continue;
        unlink((std::string(kNetworkRecords) + "/" + name).c_str());
      }
    }
  }

 private:
  std::vector<ProcessIdentity> Find() {
    std::vector<ProcessIdentity> found;
    for (pid_t pid : AllProcesses()) {
      const auto identity = ProcessIdentity::Of(pid);
      if (!identity || !identity->IsAlive() || pid == getpid()) continue;
      if (IsContainerd(*identity) || IsShim(pid) || IsInContainer(pid)) found.push_back(*identity);
    }
    return found;
  }

  bool IsContainerd(const ProcessIdentity& identity) const {
    const auto known = ProcessIdentity::Parse(ReadProc(directory_ + "/containerd.pid"));
    return known && known->pid == identity.pid && known->start == identity.start;
  }

  bool IsShim(pid_t pid) const {
    const std::string command = ReadProc("/proc/" + std::to_string(pid) + "/cmdline");
    const std::string address("\0-address\0", 10);
    return command.find("containerd-shim") != std::string::npos &&
           command.find(address + ContainerdSocket(directory_) + '\0') != std::string::npos;
  }

  bool IsInContainer(pid_t pid) {
    bool inside = false;
    std::istringstream lines(ReadProc("/proc/" + std::to_string(pid) + "/cgroup"));
    for (std::string line; std::getline(lines, line);) {
      if (IdInCgroup(line, ids_).empty()) continue;
      cgroups_.insert(line.substr(line.find('/')));
      inside = true;
    }
    return inside;
  }

  static void WaitForEnd(const ProcessIdentity& process) {
    // Debian 12's C library declares its pidfd_open without C linkage.
    const base::UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
    if (!fd.valid() || !process.IsAlive()) return;
    pollfd polled = {fd.get(), POLLIN, 0};
    poll(&polled, 1, kKillWaitMillis);
  }

  const std::string directory_;
  const std::set<std::string> ids_;
  std::set<std::string> cgroups_;  // paths below the controllers' roots
};

}  // namespace

base::Status RemoveContainerdLeftovers(const std::string& directory) {
  Leftovers leftovers(directory);
  if (!leftovers.KillAll()) {
    return base::Status(base::Code::kTimeout, "processes of the containerd in " + directory +
                                                  " do not end; look for them with ps");
  }
  leftovers.Unmount();
  leftovers.RemoveCgroups();
  leftovers.RemoveShimSockets();
  leftovers.RemoveNetworkRecords();
  return base::RemoveTree(directory);
}

}  // namespace nodeagent
