#include "state/edge/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/edge/files.h"

namespace state {

void DiskReserve::Fill() {
  if (filled_) return;
  struct statvfs disk = {};
  base::UniqueFd fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() || fstatvfs(fd.get(), &disk) != 0) return;
  struct stat there = {};
  const bool was_there =
      fstat(fd.get(), &there) == 0 && static_cast<size_t>(there.st_blocks) * 512 >= bytes_;
  filled_ = was_there || (static_cast<size_t>(disk.f_bavail) * disk.f_frsize / 2 >= bytes_ &&
                          fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes_)) == 0);
  if (!filled_) unlink(path_.c_str());
}

bool DiskReserve::GiveUp() {
  filled_ = false;
  return unlink(path_.c_str()) == 0;
}

}  // namespace state
