// The table of what plumb accepts but does not act on yet: IGNORED.md holds it, and a test compares
// the two. Pure.
#pragma once

#include <string>

#include "manifests/schema.h"

namespace manifests {

// Markdown, one row a field: its path, the kinds that have it, and what is missing if part of it is
// acted on. A field of a pod is listed once, at its path in a Pod, though templates have it too.
std::string IgnoredFieldsTable(const Schema& schema);

// IGNORED.md: the table under its title.
std::string IgnoredFieldsPage(const Schema& schema);

}  // namespace manifests
