// What of a status that a node reports is as the schema has it. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/status.h"
#include "manifests/schema.h"

namespace nodeagent {

// The status without what is wrong in it, which `wrong` names (empty if nothing is). kInvalid if
// too much is to leave a status.
base::Result<base::Json> ValidStatus(const manifests::Kind& kind, const std::string& name,
                                     base::Json status, std::string& wrong);

}  // namespace nodeagent
