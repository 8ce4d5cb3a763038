// containerd keeps one bundle a task: STATE/io.containerd.runtime.v2.task/NAMESPACE/ID, with
// config.json (the OCI specification: cgroup, network namespace) and address (the shim's socket,
// which lies in /run/containerd/s). runc keeps /run/containerd/runc/NAMESPACE/ID; the CNI library
// keeps /var/lib/cni/results/NETWORK-ID-INTERFACE. Files are only taken by the id of a container of
// this cluster: other runtimes keep theirs in the same places.

#include "plumb/dev/traces.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/edge/files.h"
#include "base/json.h"

namespace plumb {
namespace {

constexpr std::string_view kTaskDirectory = "io.containerd.runtime.v2.task";
constexpr std::string_view kShimSockets = "/run/containerd/s/";
constexpr std::string_view kRuncState = "/run/containerd/runc/";
constexpr std::string_view kCniResults = "/var/lib/cni/results";
constexpr int kMaxSearchDepth = 6;  // nodes/NAME/containerd/state/io... below the directory
constexpr size_t kMaxConfigBytes = 4 << 20;
constexpr size_t kMaxMountInfoBytes = 64 << 20;
constexpr int kCgroupTries = 200;
constexpr long kCgroupWaitNanos = 10'000'000;

std::string ReadOrEmpty(const std::string& path, size_t max = kMaxConfigBytes) {
  base::Result<std::string> text = base::ReadFile(path, max);
  return text.ok() ? *std::move(text) : "";
}

std::vector<std::string> Names(const std::string& directory) {
  base::Result<std::vector<std::string>> names = base::ListDirectory(directory);
  return names.ok() ? *std::move(names) : std::vector<std::string>();
}

bool IsDirectory(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0 && S_ISDIR(file.st_mode);
}

bool StartsWith(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

void FindTaskDirectories(const std::string& directory, int depth, std::vector<std::string>& found) {
  for (const std::string& name : Names(directory)) {
    std::string path = directory + "/" + name;
    if (!IsDirectory(path)) continue;
    if (name == kTaskDirectory) {
      found.push_back(path);
    } else if (depth > 0) {
      FindTaskDirectories(path, depth - 1, found);
    }
  }
}

void AddBundle(const std::string& bundle, const std::string& containerd_namespace,
               const std::string& id, ContainerTraces& traces) {
  constexpr std::string_view kUnix = "unix://";
  std::string address = ReadOrEmpty(bundle + "/address");
  if (StartsWith(address, kUnix)) address.erase(0, kUnix.size());
  if (StartsWith(address, kShimSockets)) traces.files.push_back(address);
  traces.files.push_back(std::string(kRuncState) + containerd_namespace + "/" + id);
  base::Result<base::Json> config = base::ParseJson(ReadOrEmpty(bundle + "/config.json"));
  if (!config.ok()) return;
  const base::Json& linux_part = std::as_const(*config)["linux"];
  std::string cgroup(linux_part["cgroupsPath"].AsString());
  // Its own, and no group that it shares.
  if (StartsWith(cgroup, "/") && cgroup.substr(cgroup.rfind('/') + 1) == id) {
    traces.cgroups.push_back(cgroup);
  }
  for (const base::Json& space : linux_part["namespaces"].Elements()) {
    std::string path(space["path"].AsString());
    // A pod's own; one that is named otherwise belongs to the host, a node or another tool.
    bool pods = StartsWith(path, "/run/netns/cni-") || StartsWith(path, "/var/run/netns/cni-");
    if (space["type"].AsString() == "network" && pods) traces.namespaces.push_back(path);
  }
}

void AddCniResults(const std::vector<std::string>& ids, ContainerTraces& traces) {
  for (const std::string& name : Names(std::string(kCniResults))) {
    for (const std::string& id : ids) {
      if (name.find("-" + id + "-") == std::string::npos) continue;
      traces.files.push_back(std::string(kCniResults) + "/" + name);
    }
  }
}

struct Mount {
  std::string point;
  std::string type;
};

// The kernel writes space, tab, newline and backslash as three octal digits.
std::string Unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                  (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// proc(5), mountinfo: the fifth word is the mount point, the type follows a word "-".
std::vector<Mount> ReadMounts() {
  std::vector<Mount> mounts;
  std::string text = ReadOrEmpty("/proc/self/mountinfo", kMaxMountInfoBytes);
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    size_t at = 0;
    for (int word = 0; word < 4 && at != std::string_view::npos; ++word)
      at = line.find(' ', at) + 1;
    size_t dash = line.find(" - ", at);
    if (dash == std::string_view::npos) continue;
    std::string_view type = line.substr(dash + 3);
    mounts.push_back({Unescape(line.substr(at, line.find(' ', at) - at)),
                      std::string(type.substr(0, type.find(' ')))});
  }
  return mounts;
}

bool IsAtOrBelow(std::string_view path, std::string_view directory) {
  return StartsWith(path, directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool RemoveCgroupTree(const std::string& path) {
  for (const std::string& name : Names(path)) {
    if (IsDirectory(path + "/" + name)) RemoveCgroupTree(path + "/" + name);
  }
  return rmdir(path.c_str()) == 0 || errno == ENOENT;
}

bool RemoveCgroupOnce(const std::string& path) {
  bool removed = true;
  for (const Mount& mount : ReadMounts()) {
    bool hierarchy = mount.type == "cgroup" || mount.type == "cgroup2";
    if (hierarchy && !RemoveCgroupTree(mount.point + path)) removed = false;
  }
  return removed;
}

}  // namespace

ContainerTraces FindContainerTraces(const std::string& directory) {
  ContainerTraces traces;
  std::vector<std::string> task_directories;
  FindTaskDirectories(directory, kMaxSearchDepth, task_directories);
  std::vector<std::string> ids;
  for (const std::string& tasks : task_directories) {
    for (const std::string& space : Names(tasks)) {
      for (const std::string& id : Names(tasks + "/" + space)) {
        AddBundle(tasks + "/" + space + "/" + id, space, id, traces);
        ids.push_back(id);
      }
    }
  }
  AddCniResults(ids, traces);
  return traces;
}

std::vector<NamespaceId> NetworksOf(const std::string& directory, const ContainerTraces& traces) {
  std::vector<std::string> paths = traces.namespaces;
  for (const Mount& mount : ReadMounts()) {
    if (mount.type == "nsfs" && IsAtOrBelow(mount.point, directory)) paths.push_back(mount.point);
  }
  std::vector<NamespaceId> ids;
  for (const std::string& path : paths) {
    if (std::optional<NamespaceId> id = ReadNamespaceId(path)) ids.push_back(*id);
  }
  return ids;
}

std::vector<std::string> MountsBelow(std::string_view directory) {
  std::vector<std::string> points;
  for (Mount& mount : ReadMounts()) {
    if (IsAtOrBelow(mount.point, directory)) points.push_back(std::move(mount.point));
  }
  std::reverse(points.begin(), points.end());
  return points;
}

void UnmountBelow(std::string_view directory) {
  for (const std::string& point : MountsBelow(directory)) {
    if (umount2(point.c_str(), UMOUNT_NOFOLLOW) != 0) {
      umount2(point.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
    }
  }
}

bool RemoveCgroup(const std::string& path) {
  // A killed process leaves its cgroup a moment after it has ended.
  for (int i = 0; i < kCgroupTries; ++i) {
    if (RemoveCgroupOnce(path)) return true;
    timespec wait{0, kCgroupWaitNanos};
    nanosleep(&wait, nullptr);
  }
  return false;
}

std::vector<std::string> RemoveTraces(const ContainerTraces& traces) {
  std::vector<std::string> left;
  auto check = [&left](const base::Status& status) {
    if (!status.ok()) left.emplace_back(status.message());
  };
  for (const std::string& path : traces.namespaces) check(DeleteNamespace(path));
  for (const std::string& path : traces.files) check(base::RemoveTree(path));
  for (const std::string& path : traces.cgroups) {
    if (!RemoveCgroup(path)) left.push_back("cgroup " + path);
  }
  return left;
}

}  // namespace plumb
