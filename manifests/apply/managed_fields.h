// ManagedFields: who owns which fields of an object: Kubernetes' metadata.managedFields.
//
// Values; an object's are immutable and shared; any thread. apply.h says how they come to be.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "manifests/apply/field_set.h"

namespace manifests {

// A manager in one of its roles: what it applies and what it writes otherwise is kept apart, and so
// is what it writes through a subresource.
struct FieldManager {
  std::string name;         // "kubectl"
  bool applies = false;     // its operation is Apply, not Update
  std::string api_version;  // "apps/v1": of the object as it was last written
  std::string subresource;  // "status", or empty

  // An applier stays who it is when it applies another version of the kind.
  bool IsSame(const FieldManager& other) const;
  auto operator<=>(const FieldManager&) const = default;
};

struct ManagedEntry {
  std::shared_ptr<const FieldManager> manager;
  base::WallTime time;  // when it last took a field; whole seconds
  FieldSetPtr fields;
};

// Sorted as Kubernetes shows them: appliers first, then by time.
using ManagedFields = std::vector<ManagedEntry>;
using ManagedFieldsPtr = std::shared_ptr<const ManagedFields>;  // null: nobody owns anything

inline constexpr size_t kMaxManagerBytes = 128;  // of a manager's name

// Into the order of ManagedFields.
void SortEntries(ManagedFields& entries);
// Of a list in an object's metadata. kInvalid with the entry's number for what is no managedFields.
base::Result<ManagedFields> ParseManagedFields(const base::Json& list);
// The list, in canonical form.
void AppendManagedFields(const ManagedFields& entries, std::string& out);
// True if they differ in nothing but times.
bool SameOwners(const ManagedFields& a, const ManagedFields& b);

}  // namespace manifests
