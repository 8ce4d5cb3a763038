// Label and field selectors: parsed once, matched often. Pure values.
// Syntax: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ ("a=b,c!=d,e in
// (f,g),!h").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/json.h"
#include "base/status.h"

namespace manifests {

// The labels that a spec.selector wants to be equal: the plain map of a Service or a
// ReplicationController, or the matchLabels of a LabelSelector; a missing value if it has none.
base::Value EqualLabelsOf(base::Value selector);

class LabelSelector {
 public:
  enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGreater, kLess };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;  // sorted
  };

  static LabelSelector Everything() { return LabelSelector(); }
  static LabelSelector Nothing();
  // The query-string form.
  static base::Result<LabelSelector> Parse(std::string_view text);
  // metav1.LabelSelector: {matchLabels, matchExpressions}. A missing one selects nothing, an empty
  // one everything.
  static base::Result<LabelSelector> FromObject(base::Value selector);
  static base::Result<LabelSelector> FromObject(const base::Json& selector);
  // A plain map, as in a Service's spec.selector. An empty or missing one selects nothing.
  static LabelSelector FromMap(base::Value map);
  // spec.selector of a workload: a LabelSelector, or the plain map of a ReplicationController.
  static base::Result<LabelSelector> FromWorkload(base::Value selector);
  // v1.NodeSelectorTerm's matchExpressions (adds Gt and Lt).
  static base::Result<LabelSelector> FromExpressions(base::Value expressions);

  bool Matches(base::Value labels) const;  // a map of strings, or missing
  bool IsEverything() const { return !nothing_ && requirements_.empty(); }
  bool IsNothing() const { return nothing_; }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  std::string ToString() const;

 private:
  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

// "metadata.name=web,status.phase!=Running"
class FieldSelector {
 public:
  struct Requirement {
    std::string path;
    bool equal;
    std::string value;
  };
  static base::Result<FieldSelector> Parse(std::string_view text);
  const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace manifests
