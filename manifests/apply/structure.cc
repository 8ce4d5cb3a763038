// A value is divided by its place in the schema:
//   an object that is no atomic map or message -> its members ("f:name")
//   a list with keys, or a set                 -> its elements ("k:{...}", "v:..."); a key that is
//                                                left out has its default (a port's protocol)
//   all else                                   -> a leaf
// Where the schema says nothing, objects are divided and lists are leaves. A list with an element
// that has no key, or one twice, is a leaf, too; validation lets no such object be stored.
//
// Order of a merged list: what the configuration names stands in its order; what only `live` has
// stays before the named element that it stood before, and before new ones.
#include "manifests/apply/structure.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manifests/member_changes.h"
#include "manifests/patch/list_merge.h"
#include "manifests/quantity.h"
#include "manifests/server_metadata.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

// The elements of a list by their names in a path, "k:{...}".
struct Elements {
  std::vector<std::string> names;  // in the order of the list
  std::map<std::string, const Json*, std::less<>> by_name;

  const Json* Find(const std::string& name) const {
    const auto it = by_name.find(name);
    return it != by_name.end() ? it->second : nullptr;
  }
};

std::optional<std::string> ElementOf(const Place& list, const Json& value) {
  if (list.field->list_type == ListType::kSet) {
    if (value.IsObject() || value.IsArray()) return std::nullopt;
    return "v:" + value.ToString();
  }
  Json key = Json::MakeObject();
  for (const std::string& name : list.field->list_keys) {
    const Json* part = value.Find(name);
    if (IsAbsent(part)) {
      const Field* field = list.message ? list.message->Find(name) : nullptr;
      if (field == nullptr || !field->default_value) return std::nullopt;
      part = &*field->default_value;
    }
    key.Set(name, *part);
  }
  return "k:" + key.ToString();
}

bool IsKeyed(const Place& place) {
  return place.field != nullptr && place.shape == Shape::kList &&
         (place.field->list_type == ListType::kSet ||
          (place.field->list_type == ListType::kMap && !place.field->list_keys.empty()));
}

// Nothing if an element has no key, or two have the same.
std::optional<Elements> ElementsOf(const Place& place, const Json& list) {
  Elements elements;
  for (const Json& value : list.Elements()) {
    std::optional<std::string> name = ElementOf(place, value);
    if (!name || !elements.by_name.emplace(*name, &value).second) return std::nullopt;
    elements.names.push_back(*std::move(name));
  }
  return elements;
}

enum class Form { kLeaf, kMembers, kElements };

Form FormOf(const Place& place, const Json& value) {
  if (value.IsArray()) {
    return IsKeyed(place) && ElementsOf(place, value) ? Form::kElements : Form::kLeaf;
  }
  if (!value.IsObject()) return Form::kLeaf;
  // A place of an element or a map's value has the field of the whole.
  const bool atomic_field = place.field != nullptr && place.shape == place.field->shape &&
                            place.field->list_type == ListType::kAtomic;
  const bool atomic_message =
      place.message != nullptr && place.shape == Shape::kSingle && place.message->atomic;
  return atomic_field || atomic_message ? Form::kLeaf : Form::kMembers;
}

bool IsRoot(const Place& place) { return place.field == nullptr && place.message != nullptr; }

// A struct's field, as opposed to an entry of a map.
bool IsNamed(const Place& parent, std::string_view member) {
  return parent.shape == Shape::kSingle && parent.message != nullptr &&
         parent.message->Find(member) != nullptr;
}

// True for what every object of its kind has, be it empty: nobody owns that as such.
bool AlwaysThere(const Place& parent, const Place& place, const Json& value) {
  const Field* field = place.field;
  if (field == nullptr || place.shape != field->shape) return false;
  const bool is_struct = place.shape == Shape::kSingle && place.message != nullptr;
  if (IsRoot(parent)) return is_struct;
  if (value.empty()) return false;
  return field->required || (is_struct && (field->default_value || field->name == "metadata"));
}

bool Same(const Place& place, const Json& a, const Json& b) {
  if (a == b) return true;
  const auto text = [](const Json& json) {
    return json.IsString() ? std::string(json.AsString()) : json.ToString();
  };
  return place.IsQuantity() && a.size() + b.size() == 0 && SameQuantity(text(a), text(b));
}

// The members of both, once each.
std::vector<std::string_view> MemberNames(const Json& a, const Json& b) {
  std::vector<std::string_view> names;
  for (const Json::Member& member : a.Members()) names.push_back(member.key);
  for (const Json::Member& member : b.Members()) {
    if (a.Find(member.key) == nullptr) names.push_back(member.key);
  }
  return names;
}

// One element of a path, and what is below it.
struct Delta {
  bool written = false, removed = false;
  FieldSet written_below, removed_below;
};

class Comparison {
 public:
  void Add(const std::string& element, Delta delta) {
    written_.Add(element, delta.written, std::move(delta.written_below));
    removed_.Add(element, delta.removed, std::move(delta.removed_below));
  }
  FieldChanges Take() { return {written_.Build(), removed_.Build()}; }

 private:
  FieldSet::Builder written_, removed_;
};

Delta CompareAt(const Place& parent, const Place& place, const Json* before, const Json* after);

FieldChanges CompareMembers(const Place& place, const Json& before, const Json& after) {
  Comparison comparison;
  for (const std::string_view name : MemberNames(before, after)) {
    comparison.Add("f:" + std::string(name),
                   CompareAt(place, place.Member(name), before.Find(name), after.Find(name)));
  }
  return comparison.Take();
}

FieldChanges CompareElements(const Place& place, const Json& before, const Json& after) {
  const Elements old = *ElementsOf(place, before), fresh = *ElementsOf(place, after);
  Comparison comparison;
  for (const auto& [name, value] : old.by_name)
    comparison.Add(name, CompareAt(place, place.Element(), value, fresh.Find(name)));
  for (const auto& [name, value] : fresh.by_name) {
    if (old.Find(name) == nullptr)
      comparison.Add(name, CompareAt(place, place.Element(), nullptr, value));
  }
  return comparison.Take();
}

Delta CompareAt(const Place& parent, const Place& place, const Json* before, const Json* after) {
  static const Json kNothing;
  if (IsAbsent(before)) before = &kNothing;
  if (IsAbsent(after)) after = &kNothing;
  if (*before == *after) return Delta();
  Form form = FormOf(place, after->IsNull() ? *before : *after);
  if (!before->IsNull() && !after->IsNull() && FormOf(place, *before) != form) form = Form::kLeaf;
  Delta delta;
  delta.written = before->IsNull();
  delta.removed = after->IsNull();
  if (form == Form::kLeaf) {
    delta.written = delta.written || (!delta.removed && !Same(place, *before, *after));
    return delta;
  }
  if (AlwaysThere(parent, place, *after)) delta.written = false;
  FieldChanges below = form == Form::kMembers ? CompareMembers(place, *before, *after)
                                              : CompareElements(place, *before, *after);
  delta.written_below = std::move(below.written);
  delta.removed_below = std::move(below.removed);
  return delta;
}

struct Named {
  bool member = false;
  FieldSet below;
};

Result<Named> NamedAt(const Place& place, const Json& value, const std::string& path) {
  FieldSet::Builder below;
  if (IsKeyed(place) && value.IsArray()) {
    const std::optional<Elements> elements = ElementsOf(place, value);
    if (!elements) {
      return Status(Code::kBadRequest,
                    path + ": an element lacks its key, or two elements have the same");
    }
    for (const auto& [name, each] : elements->by_name) {
      ASSIGN_OR_RETURN(Named named, NamedAt(place.Element(), *each, path));
      below.Add(name, true, std::move(named.below));
    }
    return Named{false, below.Build()};
  }
  if (FormOf(place, value) == Form::kLeaf || value.empty()) return Named{true, FieldSet()};
  for (const Json::Member& member : value.Members()) {
    if (member.value.IsNull()) continue;
    ASSIGN_OR_RETURN(Named named,
                     NamedAt(place.Member(member.key), member.value, Join(path, member.key)));
    below.Add("f:" + member.key, named.member || !IsNamed(place, member.key),
              std::move(named.below));
  }
  return Named{false, below.Build()};
}

Json MergeAt(const Place& place, const Json& live, const Json& wanted);

Json MergeElements(const Place& place, const Json& live, const Json& wanted) {
  const Elements old = *ElementsOf(place, live), named = *ElementsOf(place, wanted);
  Json merged = Json::MakeArray();
  size_t next = 0;  // of `old`
  // What stands before `stop` and is not named.
  const auto take_others = [&](const std::string* stop) {
    for (; next < old.names.size() && (stop == nullptr || old.names[next] != *stop); ++next) {
      if (named.Find(old.names[next]) == nullptr) merged.Append(*old.Find(old.names[next]));
    }
  };
  size_t shared = 0;  // the next of `named` that both have
  for (size_t i = 0; i < named.names.size(); ++i) {
    shared = std::max(shared, i);
    while (shared < named.names.size() && old.Find(named.names[shared]) == nullptr) ++shared;
    take_others(shared < named.names.size() ? &named.names[shared] : nullptr);
    const Json* before = old.Find(named.names[i]);
    const Json& value = *named.Find(named.names[i]);
    merged.Append(before ? MergeAt(place.Element(), *before, value) : value);
  }
  take_others(nullptr);
  return merged;
}

Json MergeAt(const Place& place, const Json& live, const Json& wanted) {
  if (wanted.IsNull()) return live;
  const Form form = FormOf(place, wanted);
  if (live.IsNull() || form == Form::kLeaf || FormOf(place, live) != form)
    return Same(place, live, wanted) ? live : wanted;
  if (form == Form::kElements) return MergeElements(place, live, wanted);
  Json merged = live;
  MemberChanges changes(merged);
  for (const Json::Member& member : wanted.Members()) {
    if (member.value.IsNull()) continue;
    Json value = MergeAt(place.Member(member.key), live[member.key], member.value);
    if (Json* known = merged.Find(member.key)) {
      *known = std::move(value);
    } else {
      changes.Add(member.key, std::move(value));
    }
  }
  changes.Finish();
  return merged;
}

Json PruneAt(const Place& place, const Json& value, const FieldSet& last, const FieldSet& owned);

// Nothing if the child goes. A struct's field counts as named by what is named inside it.
std::optional<Json> PruneChild(const Place& place, const Json& value, std::string_view element,
                               bool named, const FieldSet& last, const FieldSet& owned) {
  const FieldSet last_below = last.Below(element), owned_below = owned.Below(element);
  const bool was = last.HasMember(element) || (named && !last_below.empty());
  const bool is = owned.HasMember(element) || (named && !owned_below.empty());
  if (was && !is) return std::nullopt;
  if (last_below.empty()) return value;
  Json left = PruneAt(place, value, last_below, owned_below);
  if (left.empty() && !value.empty() && !owned.HasMember(element)) return std::nullopt;
  return left;
}

Json PruneAt(const Place& place, const Json& value, const FieldSet& last, const FieldSet& owned) {
  const Form form = FormOf(place, value);
  if (form == Form::kLeaf || last.empty()) return value;
  if (form == Form::kElements) {
    Json left = Json::MakeArray();
    const Elements elements = *ElementsOf(place, value);
    for (const std::string& name : elements.names) {
      auto child = PruneChild(place.Element(), *elements.Find(name), name, false, last, owned);
      if (child) left.Append(*std::move(child));
    }
    return left;
  }
  Json left = Json::MakeObject();
  for (const Json::Member& member : value.Members()) {
    auto child = PruneChild(place.Member(member.key), member.value, "f:" + member.key,
                            IsNamed(place, member.key), last, owned);
    if (child) left.MutableMembers().push_back({member.key, *std::move(child)});
  }
  return left;
}

Place RootOf(const Message& root) { return Place{&root, nullptr, Shape::kSingle}; }

bool IsType(std::string_view member) { return member == "apiVersion" || member == "kind"; }

Json ClientMetadata(const Json& object) {
  Json metadata = object["metadata"];
  if (!metadata.IsObject()) return Json::MakeObject();
  RemoveServerSetMetadata(metadata);
  metadata.Remove("name");
  metadata.Remove("namespace");
  return metadata;
}

}  // namespace

Result<FieldSet> FieldsOf(const Message& root, const Json& configuration) {
  Json tracked = configuration;
  std::erase_if(tracked.MutableMembers(),
                [](const Json::Member& member) { return IsType(member.key); });
  Json metadata = ClientMetadata(configuration);
  if (metadata.empty()) {
    tracked.Remove("metadata");
  } else {
    tracked.Set("metadata", std::move(metadata));
  }
  if (tracked.empty()) return FieldSet();
  ASSIGN_OR_RETURN(Named named, NamedAt(RootOf(root), tracked, ""));
  return std::move(named.below);
}

FieldChanges CompareFields(const Message& root, const Json& before, const Json& after,
                           std::string_view without) {
  const Place place = RootOf(root);
  Comparison comparison;
  for (const std::string_view name : MemberNames(before, after)) {
    if (IsType(name) || name == without) continue;
    if (name == "metadata") {
      const Json old = ClientMetadata(before), fresh = ClientMetadata(after);
      comparison.Add("f:metadata", CompareAt(place, place.Member(name), &old, &fresh));
    } else {
      comparison.Add("f:" + std::string(name),
                     CompareAt(place, place.Member(name), before.Find(name), after.Find(name)));
    }
  }
  return comparison.Take();
}

Json MergeApplied(const Message& root, const Json& live, const Json& configuration) {
  return MergeAt(RootOf(root), live, configuration);
}

Json PruneApplied(const Message& root, const Json& merged, const FieldSet& last,
                  const FieldSet& owned) {
  FieldSet::Builder name, always;  // no set has it, and it always stays
  name.Add("f:name", true);
  always.Add("f:metadata", false, name.Build());
  return PruneAt(RootOf(root), merged, last, owned.Union(always.Build()));
}

}  // namespace manifests
