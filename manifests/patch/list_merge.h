// Where a value stands in the schema, and how lists of several writers are merged there: what the
// strategic merge patch and the three-way merge share. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifests/schema.h"

namespace manifests {

// A place in an object. All null where the schema says nothing: there, maps merge and lists are
// replaced.
struct Place {
  const Message* message = nullptr;
  const Field* field = nullptr;  // null for the root, too
  Shape shape = Shape::kSingle;

  Place Member(std::string_view name) const;
  Place Element() const;  // of a list

  bool IsQuantity() const;
  bool IsMap() const { return field != nullptr && shape == Shape::kMap; }
  // A list whose elements are merged, not replaced: by key, or as a set of scalars.
  bool MergesElements() const;
};

// What makes an element of a list the same as another: the values of its keys as a text, the whole
// element where there are no keys. Nothing if it lacks a key, or what counts is no scalar.
std::optional<std::string> ElementKey(const std::vector<std::string>& keys, const Place& element,
                                      const base::Json& value);

// Puts a merged list in order, as kubectl and the API server do: elements that `wanted` names stand
// in its order; each other one stays before the first named one that it stood before in `server`.
// `keys` are those of `elements`.
base::Json::Array Arrange(base::Json::Array elements, const std::vector<std::string>& keys,
                          const std::vector<std::string>& wanted,
                          const std::vector<std::string>& server);

}  // namespace manifests
