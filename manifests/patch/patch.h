// Patches: what PATCH does to an object. Pure; the object is left alone if the patch fails.
#pragma once

#include "base/json.h"
#include "base/status.h"
#include "manifests/schema.h"

namespace manifests {

// RFC 6902. kInvalid if a path does not exist or a test fails; kBadRequest if `patch` is no JSON
// patch.
base::Result<base::Json> JsonPatch(const base::Json& object, const base::Json& patch);

// RFC 7386.
base::Json MergePatch(const base::Json& object, const base::Json& patch);

// Kubernetes' strategic merge patch: lists merge by their merge key; directives $patch (replace,
// delete, merge), $retainKeys, $setElementOrder/FIELD, $deleteFromPrimitiveList/FIELD. kBadRequest
// if the patch is malformed.
base::Result<base::Json> StrategicMergePatch(const Message& message, const base::Json& object,
                                             const base::Json& patch);

// Three-way apply: what `modified` sets is set, what `original` had and `modified` lacks is
// removed, all else of `current` stays; lists by their merge keys. This is client-side apply
// (kubectl's last-applied) and plumb's own sync.
base::Json ThreeWayMerge(const Message& message, const base::Json& original,
                         const base::Json& modified, const base::Json& current);

// True if applying `modified` over `current` would change nothing; quantities compare by amount.
bool IsApplied(const Message& message, const base::Json& original, const base::Json& modified,
               const base::Json& current);

}  // namespace manifests
