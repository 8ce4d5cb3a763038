// Files: whole reads, atomic writes, trees made and removed, and the owner of a file descriptor.
//
// Any thread. Errors carry the path and the system's reason; codes are those of ErrnoStatus.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace base {

// Owns a file descriptor and closes it. Moves; -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// "WHAT: reason" for an errno: kNotFound (no such file), kForbidden (no permission),
// kAlreadyExists, else kInternal.
Status ErrnoStatus(std::string_view what, int error);

// The whole content; kTooLarge beyond `max` bytes.
Result<std::string> ReadFile(const std::string& path, size_t max);
// Empty if there is no such file.
Result<std::string> ReadFileIfThere(const std::string& path, size_t max);

// Replaces the file or makes it: after a crash it has the old content or the new, whole. Durable
// when it returns OK.
Status WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode);

// Makes the directory and those above it that are missing, each with `mode`.
Status MakeDirectories(const std::string& path, mode_t mode);

// Removes the file, link or directory with all it holds; OK if there is none. Follows no symbolic
// link and crosses no mount point: there it stops with kConflict, and what it has not reached
// stays.
Status RemoveTree(const std::string& path);
inline constexpr int kMaxTreeDepth = 512;

// The names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> ListDirectory(const std::string& path);

}  // namespace base
