#include "base/identity.h"

#include <algorithm>

namespace base {

bool Identity::InGroup(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace base
