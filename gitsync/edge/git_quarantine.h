// QuarantineGuard: held while a push runs; the last one to leave a repository removes the
// quarantines that killed pushes left behind.
//
// Blocks for a moment; any thread, any number of processes.
#pragma once

#include <string>

#include "base/edge/files.h"
#include "base/status.h"

namespace gitsync {

class QuarantineGuard {
 public:
  static base::Result<QuarantineGuard> Enter(const std::string& repository_path);
  QuarantineGuard(QuarantineGuard&&) = default;
  ~QuarantineGuard();

 private:
  QuarantineGuard(std::string objects, base::UniqueFd lock)
      : objects_(std::move(objects)), lock_(std::move(lock)) {}
  std::string objects_;
  base::UniqueFd lock_;
};

}  // namespace gitsync
