// Rules:
// - A container that shares a volume may swap anything in it at any time. So a path in it is looked
//   up once, by the kernel, which keeps it below the volume (links inside are followed, as
//   Kubernetes does); what was found is held open, and that very thing is mounted, whatever its
//   name leads to by then.
// - The place is the agent's: no container sees the directory it is in. It is of the kind of what
//   it shows, a directory or a file.
// - A place's mount is private: unmounting it touches no other, also where the volume is a
//   directory of the host's that has mounts below it.
#include "nodeagent/edge/sub_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/edge/files.h"

namespace nodeagent {
namespace {

constexpr mode_t kMadeMode = 0755;    // of what is missing of a sub-path
constexpr mode_t kPlacesMode = 0700;  // of the directories that places are in
// The kernel gives up a look below a directory while something above it is renamed.
constexpr int kMaxLooks = 64;

// Opens a path that may not lead out of `base`.
int OpenBelow(int base, const std::string& path, uint64_t flags) {
  open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int look = 1;; ++look) {
    const long fd = syscall(SYS_openat2, base, path.c_str(), &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || look == kMaxLooks) return static_cast<int>(fd);
  }
}

base::Status OpenFailure(const SubPath& sub, int error) {
  if (error == EXDEV || error == ELOOP) {
    return base::Status(base::Code::kForbidden,
                        "subPath \"" + sub.path + "\" leads out of its volume by a link");
  }
  return base::ErrnoStatus("cannot open subPath " + sub.path, error);
}

// Makes `part` of the sub-path, whose directory is there.
base::Status MakePart(int volume, const std::string& part, const SubPath& sub) {
  const size_t slash = part.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : part.substr(0, slash);
  const std::string name = slash == std::string::npos ? part : part.substr(slash + 1);
  const base::UniqueFd above(OpenBelow(volume, parent, O_PATH | O_DIRECTORY));
  if (!above.valid()) return OpenFailure(sub, errno);
  if (mkdirat(above.get(), name.c_str(), kMadeMode) == 0 || errno == EEXIST) return {};
  return base::ErrnoStatus("cannot make subPath " + sub.path, errno);
}

// What the sub-path is now, held open.
base::Result<base::UniqueFd> OpenSubPath(const SubPath& sub) {
  const base::UniqueFd volume(open(sub.base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!volume.valid()) return base::ErrnoStatus("cannot open " + sub.base, errno);
  for (size_t end = 0; end != std::string::npos;) {
    end = sub.path.find('/', end + 1);
    const std::string part = sub.path.substr(0, end);
    const base::UniqueFd found(OpenBelow(volume.get(), part, O_PATH));
    if (found.valid()) continue;
    if (errno != ENOENT) return OpenFailure(sub, errno);
    RETURN_IF_ERROR(MakePart(volume.get(), part, sub));
  }
  base::UniqueFd found(OpenBelow(volume.get(), sub.path, O_PATH));
  if (!found.valid()) return OpenFailure(sub, errno);
  return found;
}

void Unmount(const std::string& path) {
  while (umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
  }
}

base::Status MakePlace(const std::string& place, bool is_directory) {
  RETURN_IF_ERROR(base::MakeDirectories(place.substr(0, place.rfind('/')), kPlacesMode));
  Unmount(place);
  RETURN_IF_ERROR(base::RemoveTree(place));
  if (is_directory) return base::MakeDirectories(place, kPlacesMode);
  const base::UniqueFd file(open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return file.valid() ? base::Status() : base::ErrnoStatus("cannot make " + place, errno);
}

}  // namespace

base::Status MountSubPath(const SubPath& sub) {
  ASSIGN_OR_RETURN(const base::UniqueFd found, OpenSubPath(sub));
  struct stat about;
  if (fstat(found.get(), &about) != 0) return OpenFailure(sub, errno);
  RETURN_IF_ERROR(MakePlace(sub.place, S_ISDIR(about.st_mode)));
  const std::string source = "/proc/self/fd/" + std::to_string(found.get());
  if (mount(source.c_str(), sub.place.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return base::ErrnoStatus("cannot mount subPath " + sub.path, errno);
  }
  if (mount(nullptr, sub.place.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    return base::ErrnoStatus("cannot mount subPath " + sub.path, errno);
  }
  return {};
}

void UnmountEntries(const std::string& directory) {
  const auto names = base::ListDirectory(directory);
  if (!names.ok()) return;
  for (const std::string& name : *names) Unmount(directory + "/" + name);
}

}  // namespace nodeagent
