// The table of what plumb accepts but does not act on yet, for the README. Pure.
#pragma once

#include <string>

#include "manifests/schema.h"

namespace manifests {

// Markdown, one row a field: its path, and the kinds that have it. A field of a pod is listed once,
// at its path in a Pod, though templates have it too.
std::string IgnoredFieldsTable(const Schema& schema);

}  // namespace manifests
