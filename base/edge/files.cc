// An atomic write is a temporary file beside the target, synced, renamed over it, and the
// directory synced: skipping the last step could lose the new name in a power cut.
//
// RemoveTree holds each directory open while it empties it, and looks at the open directory, not at
// its name: nobody can swap a link or a mount in between.
#include "base/edge/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace base {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t written = write(fd, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("cannot write " + path, errno);
    }
    data.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status SyncDirectory(const std::string& path) {
  const UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return ErrnoStatus("cannot open " + path, errno);
  if (fsync(directory.get()) != 0) return ErrnoStatus("cannot sync " + path, errno);
  return {};
}

Status FillAndRename(UniqueFd file, const std::string& temporary, const std::string& path,
                     std::string_view data, mode_t mode) {
  RETURN_IF_ERROR(WriteAll(file.get(), data, path));
  if (fchmod(file.get(), mode) != 0) return ErrnoStatus("cannot set the mode of " + path, errno);
  if (fsync(file.get()) != 0) return ErrnoStatus("cannot sync " + path, errno);
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot replace " + path, errno);
  }
  return {};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// The names in an open directory; `directory` stays the caller's.
Result<std::vector<std::string>> NamesIn(int directory, const std::string& path) {
  UniqueFd copy(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy.valid()) return ErrnoStatus("cannot read " + path, errno);
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(copy.get()));
  if (stream == nullptr) return ErrnoStatus("cannot read " + path, errno);
  copy.Release();  // the stream owns it now
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return ErrnoStatus("cannot read " + path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> IsMountPoint(int directory, const std::string& path) {
  struct statx about = {};
  if (statx(directory, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about) != 0) {
    return ErrnoStatus("cannot look at " + path, errno);
  }
  return (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Removes `name` in the open directory `parent`; `path` names it in messages.
Status RemoveAt(int parent, const std::string& name, const std::string& path, int depth) {
  const UniqueFd directory(
      openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) {
    // ENOTDIR: a file, or a link to one; ELOOP: a link to a directory.
    if ((errno == ENOTDIR || errno == ELOOP) && unlinkat(parent, name.c_str(), 0) == 0) return {};
    if (errno == ENOENT) return {};
    return ErrnoStatus("cannot remove " + path, errno);
  }
  if (depth >= kMaxTreeDepth) {
    return Status(Code::kTooLarge, "cannot remove " + path + ": more than " +
                                       std::to_string(kMaxTreeDepth) + " directories deep");
  }
  ASSIGN_OR_RETURN(const bool mount_point, IsMountPoint(directory.get(), path));
  if (mount_point) {
    return Status(Code::kConflict, "cannot remove " + path + ": it is a mount point; unmount it");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(directory.get(), path));
  for (const std::string& child : names) {
    RETURN_IF_ERROR(RemoveAt(directory.get(), child, path + "/" + child, depth + 1));
  }
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return ErrnoStatus("cannot remove " + path, errno);
}

}  // namespace

void UniqueFd::Reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) close(old);
}

Status ErrnoStatus(std::string_view what, int error) {
  Code code = Code::kInternal;
  if (error == ENOENT) code = Code::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::kForbidden;
  if (error == EEXIST) code = Code::kAlreadyExists;
  std::string message = std::string(what) + ": " + std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) message += "; free some space, then try again";
  return Status(code, std::move(message));
}

Result<std::string> ReadFile(const std::string& path, size_t max) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus("cannot open " + path, errno);
  std::string content;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got == 0) return content;
    if (got < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("cannot read " + path, errno);
    }
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > max) {
      return Status(Code::kTooLarge, path + " is larger than " + std::to_string(max) + " bytes");
    }
  }
}

Result<std::string> ReadFileIfThere(const std::string& path, size_t max) {
  Result<std::string> content = ReadFile(path, max);
  if (!content.ok() && content.status().code() == Code::kNotFound) return std::string();
  return content;
}

Status WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus("cannot create a file beside " + path, errno);
  if (Status status = FillAndRename(std::move(file), temporary, path, data, mode); !status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDirectory(DirectoryOf(path));
}

Status MakeDirectories(const std::string& path, mode_t mode) {
  size_t end = 0;
  while (end < path.size()) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string directory = path.substr(0, end);
    if (mkdir(directory.c_str(), mode) == 0) continue;
    const int error = errno;
    struct stat about;
    if (stat(directory.c_str(), &about) != 0) {
      return ErrnoStatus("cannot create directory " + directory, error);
    }
    if (!S_ISDIR(about.st_mode)) {
      return Status(Code::kAlreadyExists,
                    "cannot create directory " + path + ": " + directory + " is a file");
    }
  }
  return {};
}

Status RemoveTree(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  return RemoveAt(AT_FDCWD, trimmed, trimmed, 0);
}

Result<std::vector<std::string>> ListDirectory(const std::string& path) {
  const UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return ErrnoStatus("cannot open " + path, errno);
  return NamesIn(directory.get(), path);
}

}  // namespace base
