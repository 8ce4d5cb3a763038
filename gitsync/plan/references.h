// What an object cannot do without: the Secrets, ConfigMaps, ServiceAccounts and Services that it
// names, as far as they must be there. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "manifests/schema.h"
#include "state/view.h"

namespace gitsync {

struct Missing {
  std::string field;    // that names it
  std::string message;  // what there would not be, and what to do
  base::Mark mark;
};

// What `object`, of this resource and namespace, names and `view` does not hold, in the order of
// the text.
std::vector<Missing> MissingReferences(std::string_view resource, const std::string& ns,
                                       const base::Json& object, const state::View& view,
                                       const manifests::Schema& schema);

}  // namespace gitsync
