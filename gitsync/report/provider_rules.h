// What is wrong with a Provider, and whether it is acted on: by the table of notifiers. plumb/
// hands it to every draft (state::ClusterConfig::checks). Pure.
#pragma once

#include "manifests/validate.h"

namespace gitsync {

extern const manifests::KindCheck kProviderCheck;

}  // namespace gitsync
