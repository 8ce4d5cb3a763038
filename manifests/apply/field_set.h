// FieldSet: which fields of an object somebody owns, as Kubernetes' FieldsV1 has it.
//
// A value, immutable; any thread. It is a tree of path elements, each spelled as in FieldsV1:
//   f:replicas       a member of an object
//   k:{"name":"web"} an element of a list, by its keys
//   v:"x"            an element of a set
//   i:3              an element of a list, by its place
// An element may be in the set itself (a member, "." in FieldsV1), and hold others below it. The
// tree is one string of bytes, sorted, so that equal sets have equal bytes, thousands of objects
// can share one, and a record stores it as it is. Of a set that differs from another one by an
// address, say, only the difference is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace manifests {

class FieldSet;
using FieldSetPtr = std::shared_ptr<const FieldSet>;

class FieldSet {
 public:
  struct Element;
  class Builder;

  FieldSet() = default;  // of nothing
  // kInvalid, with the path, for what is no FieldsV1.
  static base::Result<FieldSet> FromJson(const base::Json& fields_v1);
  // kCorruption if they are not those of a set.
  static base::Result<FieldSet> FromBytes(std::string bytes);

  bool empty() const { return bytes_.empty() && base_ == nullptr; }
  // Put together in `buffer` if only a difference is kept.
  std::string_view Bytes(std::string& buffer) const;
  bool IsDifference() const { return base_ != nullptr; }
  // The same set, kept as its difference from `base`, which is kept whole. Null if that saves
  // little.
  FieldSetPtr AsDifferenceFrom(const FieldSetPtr& base) const;
  std::vector<Element> Elements() const;

  FieldSet Union(const FieldSet& other) const;
  FieldSet Intersection(const FieldSet& other) const;
  FieldSet Difference(const FieldSet& other) const;  // without the members of `other`

  // What is below the element; empty if it is not there.
  FieldSet Below(std::string_view element) const;
  bool HasMember(std::string_view element) const;

  // Each member as a path (".spec.replicas", ".spec.ports[port=80,protocol=\"TCP\"]"), those of a
  // level before those below it, as Kubernetes names them in conflicts.
  std::vector<std::string> Paths() const;

  // FieldsV1, in canonical form.
  void AppendJson(std::string& out) const;

  bool operator==(const FieldSet& other) const;

 private:
  explicit FieldSet(std::string bytes) : bytes_(std::move(bytes)) { bytes_.shrink_to_fit(); }
  // Entries, sorted by element: its length and bytes, the length of what is below it times two plus
  // one for a member, and what is below it, in the same form. Lengths are varints.
  // With a base these bytes stand between its first `head_` and its last `tail_` ones.
  std::string bytes_;
  FieldSetPtr base_;
  uint32_t head_ = 0, tail_ = 0;
};

struct FieldSet::Element {
  std::string text;
  bool member = false;
  FieldSet below;
};

// Makes a set of its first level. Elements come in any order; one that comes twice is joined.
class FieldSet::Builder {
 public:
  void Add(std::string element, bool member, FieldSet below = FieldSet());
  FieldSet Build();

 private:
  std::vector<Element> elements_;
};

}  // namespace manifests
