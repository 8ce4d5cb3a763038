#include "servicemesh/edge/netns.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

namespace servicemesh {

base::Result<ScopedNetns> ScopedNetns::Enter(const std::string& path) {
  if (path.empty()) return ScopedNetns(base::UniqueFd());
  base::UniqueFd home(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home.valid()) return base::ErrnoStatus("open /proc/thread-self/ns/net", errno);
  const base::UniqueFd target(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!target.valid()) return base::ErrnoStatus("open the network namespace " + path, errno);
  if (setns(target.get(), CLONE_NEWNET) != 0)
    return base::ErrnoStatus("enter the network namespace " + path, errno);
  return ScopedNetns(std::move(home));
}

ScopedNetns::~ScopedNetns() {
  if (home_.valid()) CHECK(setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace servicemesh
