// FieldSet: which fields of an object somebody owns, as Kubernetes' FieldsV1 has it.
//
// A value, immutable; any thread. It is a tree of path elements, each spelled as in FieldsV1:
//   f:replicas       a member of an object
//   k:{"name":"web"} an element of a list, by its keys
//   v:"x"            an element of a set
//   i:3              an element of a list, by its place
// An element may be in the set itself (a member, "." in FieldsV1), and hold others below it. The
// tree is kept as one string of bytes, sorted, so that equal sets have equal bytes, thousands of
// objects can share one, and a record stores it as it is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace manifests {

class FieldSet {
 public:
  struct Element;
  class Builder;

  FieldSet() = default;  // of nothing
  // kInvalid, with the path, for what is no FieldsV1.
  static base::Result<FieldSet> FromJson(const base::Json& fields_v1);
  // kCorruption if they are not those of a set.
  static base::Result<FieldSet> FromBytes(std::string bytes);

  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }
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

  bool operator==(const FieldSet&) const = default;

 private:
  explicit FieldSet(std::string bytes) : bytes_(std::move(bytes)) {}
  // Entries, sorted by element: its length and bytes, the length of what is below it times two plus
  // one for a member, and what is below it, in the same form. Lengths are varints.
  std::string bytes_;
};

using FieldSetPtr = std::shared_ptr<const FieldSet>;

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
