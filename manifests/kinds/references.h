// References: the objects that an object names in its namespace and does not do without.
//
// Pure. Visiting costs no memory: names are views into the object, and a field's path is spelt only
// when it is asked for.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/document.h"
#include "base/json.h"

namespace manifests {

// The way from an object to one of its fields, as a chain of steps on the stack.
class FieldPath {
 public:
  FieldPath() = default;  // the object itself
  FieldPath(const FieldPath& parent, std::string_view field) : parent_(&parent), field_(field) {}
  FieldPath(const FieldPath& parent, size_t index) : parent_(&parent), index_(index) {}
  std::string ToString() const;  // "spec.volumes[0].secret.secretName"

 private:
  const FieldPath* parent_ = nullptr;
  std::string_view field_;  // empty: an element of a list
  size_t index_ = 0;
};

struct Reference {
  std::string_view resource;         // "secrets"
  std::string_view kind;             // "Secret", for sentences
  std::string_view name;             // never empty
  std::string_view key;              // an entry of its data that must be there; may be empty
  bool optional = false;             // it may be missing
  base::Mark mark;                   // of the name, if the object came from a text
  const FieldPath* field = nullptr;  // that names it; lives as long as the visit
};
using ReferenceVisitor = std::function<void(const Reference&)>;

// A function of an object in both forms that objects have: as it is stored, and as it is edited or
// was read from a text. Written once, as a template: {Name<base::Value>, Name<base::Json>}.
template <typename... Arguments>
struct OfObject {
  void (*stored)(const base::Value&, Arguments...) = nullptr;
  void (*edited)(const base::Json&, Arguments...) = nullptr;

  explicit operator bool() const { return stored != nullptr; }
  void operator()(const base::Value& object, Arguments... arguments) const {
    stored(object, static_cast<Arguments>(arguments)...);
  }
  void operator()(const base::Json& object, Arguments... arguments) const {
    edited(object, static_cast<Arguments>(arguments)...);
  }
};

// What a walk calls for each name that it finds; an empty name is no reference.
template <typename V>
void Refer(const ReferenceVisitor& visit, Reference reference, const V& name,
           const FieldPath& field) {
  reference.name = name.AsString();
  if (reference.name.empty()) return;
  if constexpr (std::is_same_v<V, base::Json>) reference.mark = name.mark;
  reference.field = &field;
  visit(reference);
}

}  // namespace manifests
