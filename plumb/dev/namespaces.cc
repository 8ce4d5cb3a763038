// A namespace lives as long as something holds it: a process, or a bind mount of its file. A thread
// makes a new one, binds it to /run/netns/NAME and ends; the mount then holds it. /run/netns itself
// is a shared mount, as ip(8) has it: who finds none mounts it over itself, and hides what was
// bound in it before.

#include "plumb/dev/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <thread>

#include "base/edge/files.h"

namespace plumb {
namespace {

constexpr std::string_view kNamespaceDirectory = "/run/netns";
constexpr char kOwnNetwork[] = "/proc/thread-self/ns/net";

base::Status OnThread(const std::function<base::Status()>& work) {
  base::Status status;
  std::thread thread([&] { status = work(); });
  thread.join();
  return status;
}

base::Status ShareNamespaceDirectory() {
  const std::string directory(kNamespaceDirectory);
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0755));
  const char* const path = directory.c_str();
  if (mount("", path, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  // EINVAL: it is no mount yet.
  if (errno != EINVAL || mount(path, path, "none", MS_BIND | MS_REC, nullptr) != 0 ||
      mount("", path, "none", MS_SHARED | MS_REC, nullptr) != 0) {
    return base::ErrnoStatus("cannot share " + directory, errno);
  }
  return {};
}

}  // namespace

std::string NamespacePath(std::string_view name) {
  return std::string(kNamespaceDirectory) + "/" + std::string(name);
}

std::optional<NamespaceId> ReadNamespaceId(const std::string& path) {
  struct statfs file_system;
  struct stat file;
  if (statfs(path.c_str(), &file_system) != 0 || file_system.f_type != NSFS_MAGIC ||
      stat(path.c_str(), &file) != 0) {
    return std::nullopt;
  }
  return NamespaceId{file.st_dev, file.st_ino};
}

base::Status CreateNamespace(std::string_view name) {
  std::string path = NamespacePath(name);
  if (ReadNamespaceId(path)) return {};
  RETURN_IF_ERROR(ShareNamespaceDirectory());
  base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
  if (!file.valid()) return base::ErrnoStatus(path, errno);
  return OnThread([&]() -> base::Status {
    if (unshare(CLONE_NEWNET) != 0) return base::ErrnoStatus("cannot make a namespace", errno);
    if (mount(kOwnNetwork, path.c_str(), "none", MS_BIND, nullptr) != 0) {
      return base::ErrnoStatus("cannot mount " + path, errno);
    }
    return {};
  });
}

base::Status DeleteNamespace(const std::string& path) {
  // It may be mounted more than once, after a crash between two steps.
  while (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::ErrnoStatus(path, errno);
  return {};
}

std::vector<std::string> ListNamespaces(std::string_view prefix) {
  std::vector<std::string> names;
  base::Result<std::vector<std::string>> all =
      base::ListDirectory(std::string(kNamespaceDirectory));
  if (!all.ok()) return names;
  for (std::string& name : *all) {
    if (name.compare(0, prefix.size(), prefix) == 0) names.push_back(std::move(name));
  }
  return names;
}

base::Status InNamespace(std::string_view name, const std::function<base::Status()>& work) {
  std::string path = NamespacePath(name);
  base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return base::ErrnoStatus(path, errno);
  return OnThread([&]() -> base::Status {
    if (setns(file.get(), CLONE_NEWNET) != 0) {
      return base::ErrnoStatus("cannot enter " + path, errno);
    }
    return work();
  });
}

}  // namespace plumb
