// The process's limit on open files.
#pragma once

#include <cstddef>

namespace base {

// Raises the limit as far as the process may without privileges (RLIMIT_NOFILE: the soft limit to
// the hard one), for itself and the children that it starts from now on. What may be open then.
size_t RaiseDescriptorLimit();

}  // namespace base
