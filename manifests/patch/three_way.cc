// Three-way merge, member by member:
//   - what `modified` sets is set; a null there is not set, and what means the same as leaving the
//     field out (canonical.h) is there if it is left out;
//   - what `original` had and `modified` lacks is removed: a struct or an atomic list as a whole,
//   of a
//     map (labels) or a merged list only the entries that `original` had;
//   - all else of `current` stays, and an amount written otherwise ("1Gi", "1024Mi") stays as it
//   is.
// Lists with a merge key merge by their keys (all list keys, so that TCP and UDP ports of one
// number stay apart), lists of scalars with patch_merge as sets; other lists are atomic, and so is
// a list whose elements lack a key or have it twice. Where a struct is a union (retain keys), a
// change also removes the members that `modified` does not name.
//
// Each function returns what becomes of `current`, or nothing if it stays: so a merge that changes
// nothing copies nothing, and IsApplied is the same walk.
#include <algorithm>
#include <map>

#include "manifests/canonical.h"
#include "manifests/member_changes.h"
#include "manifests/patch/list_merge.h"
#include "manifests/patch/patch.h"
#include "manifests/quantity.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;
using Change = std::optional<Json>;

const Json kNothing;

const Json& NonNull(const Json* json) { return json ? *json : kNothing; }

// Without members that are null.
Json Cleaned(const Json& json) {
  if (json.IsArray()) {
    Json list = Json::MakeArray();
    for (const Json& element : json.Elements()) list.Append(Cleaned(element));
    return list;
  }
  if (!json.IsObject()) return json;
  Json map = Json::MakeObject();
  for (const Json::Member& member : json.Members()) {
    if (!member.value.IsNull())
      map.MutableMembers().push_back(Json::Member{member.key, Cleaned(member.value)});
  }
  return map;
}

std::string ScalarText(const Json& json) {
  return json.IsString() ? std::string(json.AsString()) : json.ToString();
}

// True for what the API does not tell from nothing at this place.
bool IsNone(const Place& place, const Json& value) {
  if (value.IsNull()) return true;
  // Elements and entries are values whatever they hold.
  return place.field != nullptr && place.shape == place.field->shape &&
         MeansAbsent(*place.field, value);
}

// Equal but for members that mean nothing and amounts written otherwise.
bool Same(const Place& place, const Json& a, const Json& b) {
  if (a.IsObject() && b.IsObject()) {
    const auto covered = [&](const Json& all, const Json& by) {
      return std::all_of(all.Members().begin(), all.Members().end(), [&](const Json::Member& m) {
        return by.Has(m.key) || IsNone(place.Member(m.key), m.value);
      });
    };
    return covered(b, a) &&
           std::all_of(a.Members().begin(), a.Members().end(), [&](const Json::Member& m) {
             const Place at = place.Member(m.key);
             return (IsNone(at, m.value) && IsNone(at, b[m.key])) || Same(at, m.value, b[m.key]);
           });
  }
  if (a.IsArray() && b.IsArray()) {
    return std::equal(a.Elements().begin(), a.Elements().end(), b.Elements().begin(),
                      b.Elements().end(),
                      [&](const Json& x, const Json& y) { return Same(place.Element(), x, y); });
  }
  if (place.IsQuantity() && !a.IsNull() && !b.IsNull() && a.size() + b.size() == 0)
    return a == b || SameQuantity(ScalarText(a), ScalarText(b));
  return a == b;
}

// A list whose elements are found by their keys. `list` outlives it.
class KeyedList {
 public:
  // Nothing if `list` is none, an element lacks a key, or two have the same.
  static std::optional<KeyedList> Of(const Place& place, const Json& list) {
    const Field& field = *place.field;
    std::vector<std::string> names;
    if (!field.patch_merge_key.empty()) names = field.list_keys;
    if (!field.patch_merge_key.empty() && names.empty()) names = {field.patch_merge_key};
    if (!list.IsArray()) return std::nullopt;
    KeyedList keyed(list);
    for (const Json& element : list.Elements()) {
      std::optional<std::string> key = ElementKey(names, place.Element(), element);
      if (!key || !keyed.index_.emplace(*key, keyed.keys_.size()).second) return std::nullopt;
      keyed.keys_.push_back(*std::move(key));
    }
    return keyed;
  }

  const std::vector<std::string>& keys() const { return keys_; }
  const Json& At(size_t i) const { return list_->At(i); }
  const Json* Find(const std::string& key) const {
    const auto it = index_.find(key);
    return it != index_.end() ? &list_->At(it->second) : nullptr;
  }

 private:
  explicit KeyedList(const Json& list) : list_(&list) {}
  const Json* list_;
  std::vector<std::string> keys_;
  std::map<std::string, size_t> index_;
};

Change Merge(const Place& place, const Json& original, const Json& modified, const Json& current);

Change Replaced(const Place& place, const Json& modified, const Json& current) {
  return Same(place, modified, current) ? Change() : Change(Cleaned(modified));
}

// What is left of `current` without the entries of `original`: null if it goes as a whole.
Change Without(const Place& place, const Json& original, const Json& current) {
  Json left = current;
  if (place.IsMap() && original.IsObject() && current.IsObject()) {
    for (const Json::Member& member : original.Members()) left.Remove(member.key);
  } else if (place.MergesElements() && original.IsArray() && current.IsArray()) {
    const auto gone = KeyedList::Of(place, original);
    const auto live = KeyedList::Of(place, current);
    if (!gone || !live) return Json();
    left = Json::MakeArray();
    for (size_t i = 0; i < live->keys().size(); ++i) {
      if (gone->Find(live->keys()[i]) == nullptr) left.Append(live->At(i));
    }
  } else {
    return Json();
  }
  if (left.size() == current.size()) return std::nullopt;
  return left.empty() ? Json() : std::move(left);
}

Change MergeMap(const Place& place, const Json& original, const Json& modified,
                const Json& current) {
  Change result;
  const auto edited = [&]() -> Json& { return result ? *result : result.emplace(current); };
  std::vector<std::string> gone;
  Json::Object fresh;
  for (const Json::Member& member : original.Members()) {
    const Json* live = current.Find(member.key);
    if (live == nullptr || member.value.IsNull() || !modified[member.key].IsNull()) continue;
    Change left = Without(place.Member(member.key), member.value, *live);
    if (!left) continue;
    if (left->IsNull()) {
      gone.push_back(member.key);
    } else {
      edited().Set(member.key, *std::move(left));
    }
  }
  for (const Json::Member& member : modified.Members()) {
    if (member.value.IsNull()) continue;
    const Json* live = current.Find(member.key);
    const Place at = place.Member(member.key);
    if (IsAbsent(live) && IsNone(at, member.value)) continue;
    Change change = IsAbsent(live) ? Change(Cleaned(member.value))
                                   : Merge(at, original[member.key], member.value, *live);
    if (change && live == nullptr) {
      fresh.push_back({member.key, *std::move(change)});
    } else if (change) {
      edited().Set(member.key, *std::move(change));
    }
  }
  if (!gone.empty() || !fresh.empty()) {
    MemberChanges changes(edited());
    for (std::string& key : gone) changes.Remove(std::move(key));
    for (Json::Member& member : fresh) changes.Add(std::move(member.key), std::move(member.value));
    changes.Finish();
  }
  const bool retain =
      place.field != nullptr && place.shape == Shape::kSingle && place.field->patch_retain_keys;
  if (result && retain) {
    std::erase_if(result->MutableMembers(),
                  [&](const Json::Member& member) { return modified[member.key].IsNull(); });
  }
  return result;
}

Change MergeList(const Place& place, const Json& original, const Json& modified,
                 const Json& current) {
  const auto wanted = KeyedList::Of(place, modified);
  const auto live = KeyedList::Of(place, current);
  if (!wanted || !live) return Replaced(place, modified, current);
  const auto owned = KeyedList::Of(place, original);

  bool changed = false;
  std::vector<Change> changes;  // one for each element of `modified`
  for (size_t i = 0; i < wanted->keys().size(); ++i) {
    const std::string& key = wanted->keys()[i];
    const Json* before = owned ? owned->Find(key) : nullptr;
    const Json* now = live->Find(key);
    changes.push_back(now ? Merge(place.Element(), NonNull(before), wanted->At(i), *now)
                          : Change(Cleaned(wanted->At(i))));
    changed |= changes.back().has_value();
  }
  std::vector<std::string> order;  // of those elements of `current` that `modified` names
  std::vector<size_t> kept;        // those that it does not name
  for (size_t i = 0; i < live->keys().size(); ++i) {
    const std::string& key = live->keys()[i];
    if (wanted->Find(key) != nullptr) {
      order.push_back(key);
    } else if (owned && owned->Find(key) != nullptr) {
      changed = true;
    } else {
      kept.push_back(i);
    }
  }
  if (!changed && order == wanted->keys()) return std::nullopt;

  Json::Array elements;
  std::vector<std::string> keys = wanted->keys();
  for (size_t i = 0; i < changes.size(); ++i)
    elements.push_back(changes[i] ? *std::move(changes[i]) : *live->Find(keys[i]));
  for (const size_t i : kept) {
    keys.push_back(live->keys()[i]);
    elements.push_back(live->At(i));
  }
  return Json(Arrange(std::move(elements), keys, wanted->keys(), live->keys()));
}

Change Merge(const Place& place, const Json& original, const Json& modified, const Json& current) {
  if (modified.IsObject() && current.IsObject())
    return MergeMap(place, original, modified, current);
  if (place.MergesElements() && modified.IsArray() && current.IsArray())
    return MergeList(place, original, modified, current);
  return Replaced(place, modified, current);
}

Change MergeRoot(const Message& message, const Json& original, const Json& modified,
                 const Json& current) {
  return Merge(Place{&message, nullptr, Shape::kSingle}, original, modified, current);
}

}  // namespace

Json ThreeWayMerge(const Message& message, const Json& original, const Json& modified,
                   const Json& current) {
  Change change = MergeRoot(message, original, modified, current);
  return change ? *std::move(change) : current;
}

bool IsApplied(const Message& message, const Json& original, const Json& modified,
               const Json& current) {
  return !MergeRoot(message, original, modified, current).has_value();
}

}  // namespace manifests
