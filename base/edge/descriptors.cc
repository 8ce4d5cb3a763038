#include "base/edge/descriptors.h"

#include <sys/resource.h>

#include "base/status.h"

namespace base {

size_t RaiseDescriptorLimit() {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  // A kernel may refuse what a hard limit promises (fs.nr_open was lowered since): then it stays.
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace base
