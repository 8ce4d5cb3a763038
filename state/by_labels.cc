// A selector's equal labels are filed in one piece, in the order of their names: {"a":"1","b":"2"}.
// Those that a set of labels satisfies are found by spelling out what can be made of the set, label
// by label, as long as something that is filed begins so: the selectors that go on with other
// labels, however many, are never looked at.
#include "state/by_labels.h"

#include <algorithm>
#include <string>

#include "manifests/selector.h"

namespace state {
namespace {

class SelectorSearch {
 public:
  SelectorSearch(const View& view, std::string_view resource, std::string_view ns,
                 base::Value labels)
      : view_(view), resource_(resource), ns_(ns) {
    for (const auto& [label, value] : labels.Members()) labels_.push_back(value.MemberBytes());
  }

  std::vector<ObjectPtr> Run() && {
    Take("{}");
    Extend("{", 0);
    return std::move(found_);
  }

 private:
  // `begun` is the beginning of something filed; what follows may be made of the labels from
  // `next` on.
  void Extend(const std::string& begun, size_t next) {
    for (; next < labels_.size(); ++next) {
      const std::string longer = begun + std::string(labels_[next]);
      if (!view_.HasPrefix(Index::kSelector, longer)) continue;
      Take(longer + "}");
      Extend(longer + ",", next + 1);
    }
  }

  void Take(const std::string& selector) {
    const View::Term term{Index::kSelector, selector};
    const std::vector<ObjectPtr> these = view_.Find({&term, 1}, resource_, ns_);
    found_.insert(found_.end(), these.begin(), these.end());
  }

  const View& view_;
  const std::string_view resource_, ns_;
  std::vector<std::string_view> labels_;
  std::vector<ObjectPtr> found_;
};

}  // namespace

std::vector<ObjectPtr> CarriersOf(const View& view, std::string_view resource, std::string_view ns,
                                  base::Value labels, std::optional<View::Term> also) {
  std::vector<View::Term> terms;
  if (also) terms.push_back(*also);
  for (const auto& [label, value] : labels.Members())
    if (IsFiled(label)) terms.push_back({Index::kLabel, value.MemberBytes()});
  std::vector<ObjectPtr> found;
  if (!terms.empty()) {
    found = view.Find(terms, resource, ns);
  } else {
    for (const ObjectPtr& object : view.List(resource, ns)) found.push_back(object);
  }
  // Of labels that are not filed.
  std::erase_if(found, [&](const ObjectPtr& object) {
    const base::Value carried = object->Labels();
    for (const auto& [label, value] : labels.Members())
      if (!IsFiled(label) && carried[label] != value) return true;
    return false;
  });
  return found;
}

std::vector<ObjectPtr> SelectorsOf(const View& view, std::string_view resource, std::string_view ns,
                                   base::Value labels) {
  return SelectorSearch(view, resource, ns, labels).Run();
}

}  // namespace state
