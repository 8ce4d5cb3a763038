// The versions of a kind: an object is stored in one of them, and served in all. Pure; any thread.
#pragma once

#include "base/json.h"
#include "manifests/schema.h"

namespace manifests {

// `object`, of a kind in any version, in that of `to`, another version of the same kind. The forms
// are equal, as those of a CustomResourceDefinition with conversion None: only the version changes.
base::Json Convert(base::Json object, const Kind& to);

// The kind that `kind` is a version of, as it is stored.
const Kind& StorageVersion(const Schema& schema, const Kind& kind);

}  // namespace manifests
