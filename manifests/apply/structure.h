// Objects as server-side apply sees them: a tree of fields that the schema divides into members,
// elements with keys, and leaves. What applying does to them, apart from whose they are.
//
// Pure; any thread. The rules are those of Kubernetes' structured merge. Nulls count as absent. In
// no set are the type, the name, the namespace, and what only the server sets
// (server_metadata.h).
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "manifests/apply/field_set.h"
#include "manifests/schema.h"

namespace manifests {

// The fields that a configuration names. kBadRequest for a list whose elements lack a key or share
// one.
base::Result<FieldSet> FieldsOf(const Message& root, const base::Json& configuration);

struct FieldChanges {
  FieldSet written;  // added, or with another value
  FieldSet removed;
  bool empty() const { return written.empty() && removed.empty(); }
};
// What changed from one object to another; `before` may be null: all is new. `without` names a
// member of the root that is left out: a write of the specification does not own the status.
FieldChanges CompareFields(const Message& root, const base::Json& before, const base::Json& after,
                           std::string_view without = {});

// `live` with all that `configuration` names. An amount that is only written otherwise ("1Gi",
// "1024Mi") stays as it is in `live`.
base::Json MergeApplied(const Message& root, const base::Json& live,
                        const base::Json& configuration);

// `merged` without what its applier named `last` and nobody owns now; `owned` is all that anybody
// does, the applier's new configuration included. An element of a list goes as a whole.
base::Json PruneApplied(const Message& root, const base::Json& merged, const FieldSet& last,
                        const FieldSet& owned);

}  // namespace manifests
