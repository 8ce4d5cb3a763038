// A receive-pack that ends by a signal leaves its quarantine (a directory tmp_objdir-* among the
// objects), and nothing says whose it is. So every push holds a shared lock on the objects
// directory; who leaves and can have the lock alone knows that no push runs, and that every
// quarantine there is garbage. The kernel drops the lock of a server that was killed.
#include "gitsync/edge/git_quarantine.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <vector>

#include "base/log.h"

namespace gitsync {

base::Result<QuarantineGuard> QuarantineGuard::Enter(const std::string& repository_path) {
  std::string objects = repository_path + "/objects";
  base::UniqueFd lock(open(objects.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) return base::ErrnoStatus("cannot open " + objects, errno);
  while (flock(lock.get(), LOCK_SH) != 0) {
    if (errno != EINTR) return base::ErrnoStatus("cannot lock " + objects, errno);
  }
  return QuarantineGuard(std::move(objects), std::move(lock));
}

QuarantineGuard::~QuarantineGuard() {
  if (!lock_.valid() || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return;
  const base::Result<std::vector<std::string>> names = base::ListDirectory(objects_);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!name.starts_with("tmp_objdir-")) continue;
    const base::Status removed = base::RemoveTree(objects_ + "/" + name);
    if (!removed.ok()) {
      base::LogWarning("quarantine stays", {{"reason", std::string(removed.message())}});
    }
  }
}

}  // namespace gitsync
