// What a write does to the owners of fields, and server-side apply, which asks them first.
//
// Pure; any thread. The rules are Kubernetes'. They are kept for two things: a conflict when two
// tools apply different values, and the removal of what a tool applies no more.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "manifests/apply/managed_fields.h"
#include "manifests/apply/structure.h"
#include "manifests/schema.h"

namespace manifests {

inline constexpr size_t kMaxUpdateManagers = 10;  // more are joined, the oldest first

inline constexpr std::string_view kLastAppliedAnnotation =
    "kubectl.kubernetes.io/last-applied-configuration";

// `entries` after an update by `writer` that made `changes`: what it wrote is its own now, what is
// gone is nobody's.
ManagedFields AfterUpdate(ManagedFields entries, const FieldManager& writer,
                          const FieldChanges& changes, base::WallTime now);

struct Application {
  const Message& root;
  const base::Json& live;           // null if there is none yet
  const base::Json& configuration;  // an object, only with what the manager wants
  FieldManager manager;
  bool force = false;  // take what others own, too
  base::WallTime now;
  std::string_view without;  // a member of the root that this write does not own: "status"
  // Removed whoever owns them, but for what the configuration names.
  FieldSet reclaimed = {};
  // What the manager had applied by the time when nobody's fields were kept yet, for an object of
  // such a time; null: everything that is there belongs to "before-first-apply".
  const FieldSet* applied_before = nullptr;
};

struct Applied {
  base::Json object;
  ManagedFields entries;
};

// Server-side apply. kConflict, with a cause for each field, if others own fields that would get
// another value; kBadRequest for a configuration with lists that cannot be merged.
base::Result<Applied> Apply(const Application& application, ManagedFields entries);

}  // namespace manifests
