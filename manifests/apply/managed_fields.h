// ManagedFields: who owns which fields of an object: Kubernetes' metadata.managedFields.
//
// Values; an object's are immutable and shared; any thread. apply.h says how they come to be.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
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

// Where the entries of earlier objects stand in the text that all of them are printed into. Objects
// share their sets (state/owner_pool.h), so that most of a list's entries can be copied from there.
class PrintedEntries {
 public:
  // Appends `entry` in canonical form to `out`, the text of all calls.
  void Append(const ManagedEntry& entry, std::string& out);

 private:
  using Key = std::tuple<const FieldSet*, const FieldManager*, int64_t>;  // the last: the time
  struct Place {
    size_t offset = 0, size = 0;
  };
  std::map<Key, Place> places_;  // of sets that outlive this
};

// The list, in canonical form.
void AppendManagedFields(const ManagedFields& entries, std::string& out,
                         PrintedEntries* printed = nullptr);
// True if they differ in nothing but times.
bool SameOwners(const ManagedFields& a, const ManagedFields& b);

}  // namespace manifests
