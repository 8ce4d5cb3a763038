// Selection: which objects of a resource a request is about: namespace, label selector, field
// selector. A value; pure.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/net/http.h"
#include "base/status.h"
#include "manifests/schema.h"
#include "manifests/selector.h"
#include "state/api/paths.h"
#include "state/view.h"

namespace state {

class Selection {
 public:
  // kBadRequest for a selector that does not parse, or a field that cannot be selected by.
  static base::Result<Selection> Parse(const base::HttpRequest& request, const ApiRoute& route,
                                       manifests::KindPtr kind);

  bool Matches(const Object& object) const;
  // Neither labels nor fields restrict it.
  bool TakesAll() const { return labels_.IsEverything() && fields_.empty(); }
  // What the field must be equal to; null if the selector does not say.
  const std::string* Wanted(std::string_view field) const;

  const manifests::Kind& kind() const { return *kind_; }
  const std::string& ns() const { return ns_; }

  // Calls `visit` with the matching objects from the first key that is not less than `from`, in key
  // order, until it returns false. By an index where the selector allows.
  void Visit(const View& view, const Key& from,
             const std::function<bool(const ObjectPtr&)>& visit) const;
  Key FirstKey() const { return Key{kind_->Resource(), ns_, ""}; }

 private:
  struct FieldRequirement {
    std::string field;
    std::string path;  // without a dot in front
    bool equal;
    std::string value;
    std::string_view zero;  // what an absent field counts as: "false", "0" or ""
  };
  manifests::KindPtr kind_;
  std::string ns_;
  manifests::LabelSelector labels_;
  std::vector<FieldRequirement> fields_;
};

}  // namespace state
