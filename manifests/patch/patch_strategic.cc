// Kubernetes' strategic merge patch. Maps merge, null removes, scalars and most lists are replaced.
// A list whose field has a merge key merges by it; one of scalars with patch_merge is a set. Where
// two keys make an element (a port's number and protocol), it is found by both: one that a patch
// leaves out, as kubectl does with what it does not change, is that of the only element with the
// merge key, or else the default. The directives of a map:
//   $patch: replace            the map becomes what else the patch says; delete empties it; merge
//                              is what happens anyway
//   $retainKeys: [k, ...]      other members are removed; all that the patch sets must be listed
//   $setElementOrder/f: [...]  the order of the list f: elements with their key, or scalars
//   $deleteFromPrimitiveList/f: [...]  scalars to remove from the list f
// An element of a merged list may be {$patch: delete, KEY: value}, which removes that element, or
// hold $patch: replace, which first empties the list.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "manifests/member_changes.h"
#include "manifests/patch/list_merge.h"
#include "manifests/patch/patch.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

enum class Directive { kMerge, kReplace, kDelete };

Status Bad(const std::string& what) {
  return Status(Code::kBadRequest, "the strategic merge patch is malformed: " + what);
}

Result<Directive> DirectiveOf(const Json& patch) {
  const Json* directive = patch.Find(kPatch);
  if (directive == nullptr || directive->AsString() == "merge") return Directive::kMerge;
  if (directive->AsString() == "replace") return Directive::kReplace;
  if (directive->AsString() == "delete") return Directive::kDelete;
  return Bad("$patch is " + directive->ToString() + "; write merge, replace or delete");
}

// The field that a list directive is about; empty if `key` is none.
std::string_view ListOf(std::string_view key) {
  for (const std::string_view prefix : {kSetElementOrder, kDeleteFromList}) {
    if (key.starts_with(prefix)) return key.substr(prefix.size());
  }
  return {};
}

Status MergeMap(const Place& place, Json& target, const Json& patch);

// A list that merges its elements, while a patch is applied to it.
class ListMerge {
 public:
  ListMerge(std::string_view name, const Place& place, Json::Array elements)
      : name_(name), element_(place.Element()), elements_(std::move(elements)) {
    if (place.field != nullptr && !place.field->patch_merge_key.empty()) {
      merge_key_ = place.field->patch_merge_key;
      keys_ = place.field->list_keys;
    }
    if (!merge_key_.empty() && keys_.empty()) keys_ = {merge_key_};
    server_ = KeysOfElements();
    for (const Json& element : elements_) Know(element);
  }

  Status Delete(const Json& scalars) {
    if (!scalars.IsArray()) return Bad(std::string(kDeleteFromList) + name_ + " is no list");
    std::set<std::string> gone;
    for (const Json& scalar : scalars.Elements()) gone.insert(scalar.ToString());
    std::erase_if(elements_,
                  [&](const Json& element) { return gone.contains(element.ToString()); });
    return Status();
  }

  // `order` as of Finish. Of a whole key that no element has, an order that names the merge key
  // once means the one element that has it: its second key is what changes.
  Status Merge(const Json& patch, const Json* order) {
    if (order != nullptr && keys_.size() > 1) {
      for (const Json& each : order->Elements()) ++named_in_order_[each[merge_key_].ToString()];
    }
    std::vector<const Json*> plain;  // elements without "delete"
    std::set<std::string> gone;
    for (const Json& element : patch.Elements()) {
      ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(element));
      if (directive == Directive::kReplace) {
        elements_.clear();
        known_.clear();
        if (element.size() == 1) continue;  // nothing but the directive
      }
      ASSIGN_OR_RETURN(const std::string key, KeyOf(element));
      if (directive == Directive::kDelete) {
        gone.insert(key);
      } else {
        plain.push_back(&element);
        patched_.push_back(MeantBy(element, key));
      }
    }
    std::erase_if(elements_,
                  [&](const Json& element) { return gone.contains(KeyOrNone(element)); });
    const std::vector<std::string> keys = KeysOfElements();
    std::map<std::string, size_t> index;
    for (size_t i = 0; i < keys.size(); ++i) index.emplace(keys[i], i);
    for (size_t i = 0; i < plain.size(); ++i) {
      const auto [at, added] = index.emplace(patched_[i], elements_.size());
      if (added) elements_.push_back(plain[i]->IsObject() ? Json::MakeObject() : *plain[i]);
      if (!plain[i]->IsObject()) continue;
      Json rest = *plain[i];
      rest.Remove(kPatch);
      RETURN_IF_ERROR(MergeMap(element_, elements_[at->second], rest));
      patched_[i] = KeyOrNone(elements_[at->second]);
    }
    known_.clear();
    for (const Json& element : elements_) Know(element);
    return Status();
  }

  // `order` is the $setElementOrder; null if there is none: then the patch's own order counts.
  Status Finish(const Json* order, Json& out) {
    std::vector<std::string> wanted = patched_;
    if (order != nullptr) {
      if (!order->IsArray()) return Bad(std::string(kSetElementOrder) + name_ + " is no list");
      wanted.clear();
      std::map<std::string, size_t> named;  // by merge key: how many that name no more
      for (const Json& element : order->Elements()) {
        ASSIGN_OR_RETURN(std::string key, KeyOf(element));
        if (const std::vector<std::string>* same = NamesTooLittle(element)) {
          const size_t next = named[element[merge_key_].ToString()]++;
          if (next < same->size()) key = (*same)[next];
        }
        wanted.push_back(std::move(key));
      }
      // The patch's elements must stand in the order, and in the same order.
      auto at = wanted.begin();
      for (const std::string& key : patched_) {
        at = std::find(at, wanted.end(), key);
        if (at == wanted.end()) {
          return Bad(std::string(kSetElementOrder) + name_ +
                     " lacks an element of the patch, or has another order; make them agree");
        }
      }
    }
    const std::vector<std::string> keys = KeysOfElements();
    out = Json(Arrange(std::move(elements_), keys, wanted, server_));
    return Status();
  }

 private:
  Result<std::string> KeyOf(const Json& element) const {
    if (keys_.empty()) return element.ToString();
    if (IsAbsent(element.Find(merge_key_))) {
      return Bad("an element of " + name_ + " has no \"" + merge_key_ +
                 "\", its merge key; add it");
    }
    const std::vector<std::string>* same = NamesTooLittle(element);
    if (same != nullptr && same->size() == 1) return same->front();
    return WholeKey(element);
  }

  // The one element of the same merge key, if the order names that once; else `key`.
  std::string MeantBy(const Json& element, std::string key) const {
    if (keys_.size() < 2) return key;
    const std::string merge_key = element[merge_key_].ToString();
    const auto named = named_in_order_.find(merge_key);
    const auto live = known_.find(merge_key);
    const bool is_that = named != named_in_order_.end() && named->second == 1 &&
                         live != known_.end() && live->second.size() == 1;
    return is_that ? live->second.front() : key;
  }

  // The keys of the elements that it may mean; null if it says which.
  const std::vector<std::string>* NamesTooLittle(const Json& element) const {
    const bool whole = std::all_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
      return !IsAbsent(element.Find(key));
    });
    if (whole) return nullptr;
    const auto known = known_.find(element[merge_key_].ToString());
    return known != known_.end() ? &known->second : nullptr;
  }

  // What it leaves out has its default.
  std::string WholeKey(const Json& element) const {
    std::string text;
    for (const std::string& key : keys_) {
      const Json* part = element.Find(key);
      const Field* field = element_.message != nullptr ? element_.message->Find(key) : nullptr;
      if (IsAbsent(part) && field != nullptr && field->default_value) part = &*field->default_value;
      text += (part != nullptr ? part->ToString() : "null") + ' ';
    }
    return text;
  }

  // Elements of the object may lack the key; the text is no key then.
  std::string KeyOrNone(const Json& element) const {
    if (keys_.empty()) return element.ToString();
    return IsAbsent(element.Find(merge_key_)) ? std::string() : WholeKey(element);
  }

  void Know(const Json& element) {
    if (!keys_.empty() && !IsAbsent(element.Find(merge_key_)))
      known_[element[merge_key_].ToString()].push_back(WholeKey(element));
  }

  std::vector<std::string> KeysOfElements() const {
    std::vector<std::string> keys;
    for (const Json& element : elements_) keys.push_back(KeyOrNone(element));
    return keys;
  }

  const std::string name_;
  const Place element_;
  std::string merge_key_;          // empty: of scalars
  std::vector<std::string> keys_;  // all that make an element, the merge key among them
  Json::Array elements_;
  std::map<std::string, size_t> named_in_order_;           // merge keys, and how often
  std::map<std::string, std::vector<std::string>> known_;  // keys of elements_, by the merge key
  std::vector<std::string> server_;                        // keys of the object's elements, before
  std::vector<std::string> patched_;                       // keys of the patch's elements
};

Status MergeList(const Place& place, Json& target, std::string_view name, const Json& patch) {
  const Json* live = std::as_const(target).Find(name);
  const Json* elements = patch.Find(name);
  const Json* order = patch.Find(std::string(kSetElementOrder).append(name));
  const Json* removed = patch.Find(std::string(kDeleteFromList).append(name));
  if (live == nullptr && elements == nullptr) return Status();
  ListMerge list(name, place, live ? live->Elements() : Json::Array());
  if (removed != nullptr) RETURN_IF_ERROR(list.Delete(*removed));
  if (elements != nullptr) RETURN_IF_ERROR(list.Merge(*elements, order));
  return list.Finish(order, target[name]);
}

// A list that replaces another: its maps without directives.
Result<Json> Replacement(const Place& place, const Json& patch) {
  Json list = Json::MakeArray();
  for (const Json& element : patch.Elements()) {
    Json value = element;
    if (element.IsObject()) {
      value = Json::MakeObject();
      RETURN_IF_ERROR(MergeMap(place.Element(), value, element));
    }
    list.Append(std::move(value));
  }
  return list;
}

Status Retain(Json& target, const Json& patch) {
  const Json& retained = patch[kRetainKeys];
  if (!retained.IsArray()) return Bad("$retainKeys is no list");
  std::set<std::string_view> names;
  for (const Json& name : retained.Elements()) names.insert(name.AsString());
  const auto listed = [&](std::string_view key) { return names.contains(key); };
  for (const Json::Member& member : patch.Members()) {
    const bool directive = member.key == kPatch || member.key == kRetainKeys ||
                           !ListOf(member.key).empty() || member.value.IsNull();
    if (!directive && !listed(member.key))
      return Bad("it sets \"" + member.key + "\", which its $retainKeys lacks; add it there");
  }
  std::erase_if(target.MutableMembers(),
                [&](const Json::Member& member) { return !listed(member.key); });
  return Status();
}

Status MergeMember(const Place& at, Json& live, const Json& patch) {
  if (patch.IsArray()) {
    ASSIGN_OR_RETURN(live, Replacement(at, patch));
    return Status();
  }
  if (!patch.IsObject()) {
    live = patch;
    return Status();
  }
  if (!live.IsObject()) live = Json::MakeObject();
  return MergeMap(at, live, patch);
}

Status MergeMap(const Place& place, Json& target, const Json& patch) {
  ASSIGN_OR_RETURN(const Directive directive, DirectiveOf(patch));
  if (directive != Directive::kMerge) target = Json::MakeObject();
  if (directive == Directive::kDelete) return Status();
  if (patch.Has(kRetainKeys)) RETURN_IF_ERROR(Retain(target, patch));
  std::vector<std::string_view> lists;  // that merge their elements
  MemberChanges changes(target);
  for (const Json::Member& member : patch.Members()) {
    if (member.key == kPatch || member.key == kRetainKeys) continue;
    const Place at = place.Member(member.key);
    if (const std::string_view list = ListOf(member.key); !list.empty()) {
      // If the patch has the list, its directives take effect with it.
      if (!patch.Has(list)) lists.push_back(list);
    } else if (member.value.IsArray() && at.MergesElements()) {
      lists.push_back(member.key);
    } else if (Json* live = target.Find(member.key); member.value.IsNull()) {
      if (live != nullptr) changes.Remove(member.key);
    } else if (live != nullptr) {
      RETURN_IF_ERROR(MergeMember(at, *live, member.value));
    } else {
      Json value;
      RETURN_IF_ERROR(MergeMember(at, value, member.value));
      changes.Add(member.key, std::move(value));
    }
  }
  changes.Finish();
  for (const std::string_view list : lists)
    RETURN_IF_ERROR(MergeList(place.Member(list), target, list, patch));
  return Status();
}

}  // namespace

Result<Json> StrategicMergePatch(const Message& message, const Json& object, const Json& patch) {
  if (!patch.IsObject()) return Bad("it is no map");
  Json result = object.IsObject() ? object : Json::MakeObject();
  RETURN_IF_ERROR(MergeMap(Place{&message, nullptr, Shape::kSingle}, result, patch));
  return result;
}

}  // namespace manifests
