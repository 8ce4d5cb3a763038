// A selector's equal labels are filed in one piece, in the order of their names: {"a":"1","b":"2"}.
// The filed ones lead, by a cursor that only goes on. Where it stands, the first label that is not
// carried, or the last one if all are, gives way to the next that is carried, and the cursor goes
// to what is filed from there on; where none follows, to what is filed without it. All between has
// a label that is not carried: however many selectors that are, they are never looked at.
//
// Texts are compared, never names: labels are strings, in canonical form, so that none of
// "app":"a" and "app":"a1", with their quotes, is another's beginning; ',' comes before '}', and a
// selector after those that want more.
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
    for (const auto& [label, value] : labels.Members())
      if (value.IsString()) carried_.push_back(value.MemberBytes());
    // As texts: where a name has a byte below '"', its order is another.
    std::sort(carried_.begin(), carried_.end());
  }

  std::vector<ObjectPtr> Run() && {
    std::string cursor = "{";
    while (true) {
      const View::IndexRange filed = view_.LookupFrom(Index::kSelector, cursor);
      const auto first = filed.begin();
      if (!(first != filed.end())) return std::move(found_);
      const base::Value labels = manifests::EqualLabelsOf((**first)["spec"]["selector"]);
      if (labels.empty()) {  // nothing comes after it
        Take("{}");
        return std::move(found_);
      }
      Advance(labels, cursor);
    }
  }

 private:
  // Takes what is filed as `filed`, if all of it is carried, and sets `cursor` to the next text
  // that may be.
  void Advance(base::Value filed, std::string& cursor) {
    std::string_view last;
    auto next = carried_.end();  // the first that is not less than `last`
    bool all = true;
    for (const auto& [label, value] : filed.Members()) {
      last = value.MemberBytes();
      next = std::lower_bound(carried_.begin(), carried_.end(), last);
      all = next != carried_.end() && *next == last;
      if (!all) break;
    }
    const std::string_view text = filed.Bytes();
    if (all) {
      Take(text);
      ++next;
    }
    cursor = text.substr(0, static_cast<size_t>(last.data() - text.data()));
    if (next != carried_.end()) {
      cursor += *next;
    } else {
      if (cursor.back() == ',') cursor.pop_back();
      cursor += '}';
    }
  }

  void Take(std::string_view selector) {
    const View::Term term{Index::kSelector, selector};
    const std::vector<ObjectPtr> these = view_.Find({&term, 1}, resource_, ns_);
    found_.insert(found_.end(), these.begin(), these.end());
  }

  const View& view_;
  const std::string_view resource_, ns_;
  std::vector<std::string_view> carried_;
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
