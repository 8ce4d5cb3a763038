// Several terms are found together by going from one to the next in turn: each is asked for its
// first object from the key on that the one before stands at. Where all stand at one key they found
// it; the first to have no more ends the search.
#include "state/view.h"

#include <algorithm>

#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/pod.h"
#include "manifests/selector.h"

namespace state {
namespace {

constexpr std::string_view kNoLabels = "{}";
constexpr std::string_view kRevisionLabels[] = {"controller-revision-hash", "pod-template-hash"};

// Calls `emit` with each string that `index` files the object under.
template <typename Emit>
void IndexValues(Index index, const manifests::KindFacts& facts, const Object& object,
                 const Emit& emit) {
  switch (index) {
    case Index::kOwner:
      for (base::Value owner : object.Meta("ownerReferences").Elements())
        emit(owner["uid"].AsString());
      return;
    case Index::kNode:
      if (object.key.resource == "pods") emit(object["spec"]["nodeName"].AsString());
      return;
    case Index::kAbout:
      if (object.key.resource == "events") emit(object["involvedObject"]["uid"].AsString());
      return;
    case Index::kOrphan:
      if (facts.adoptable && !object.ControllerRef().Exists())
        emit(object.Meta("namespace").AsString());
      return;
    case Index::kLabel:
      if (!facts.selectable) return;
      for (const auto& [label, value] : object.Labels().Members())
        if (IsFiled(label)) emit(value.MemberBytes());
      return;
    case Index::kSelector: {
      const base::Value selector = object["spec"]["selector"];
      if (!selector.IsObject()) return;
      const base::Value labels = manifests::EqualLabelsOf(selector);
      emit(labels.IsObject() ? labels.Bytes() : kNoLabels);
      return;
    }
    case Index::kTaken:
      if (object.key.resource == "services")
        ForEachTaken(object.key.resource, object.document.root(), emit);
      return;
    case Index::kEnded:
      if (object.key.resource == "pods" && manifests::HasEnded(object.document.root()) &&
          !object.Deleting())
        emit(object.Meta("creationTimestamp").AsString());
      return;
  }
}

}  // namespace

void ForEachTaken(std::string_view resource, base::Value object,
                  const std::function<void(std::string_view)>& visit) {
  if (resource != "services") return;
  const base::Value spec = object["spec"];
  if (spec["clusterIP"].AsString() != "None") visit(spec["clusterIP"].AsString());
  for (base::Value port : spec["ports"].Elements())
    if (port["nodePort"].AsInt() != 0) visit(port["nodePort"].Bytes());
}

bool IsFiled(std::string_view label) {
  return std::find(std::begin(kRevisionLabels), std::end(kRevisionLabels), label) ==
         std::end(kRevisionLabels);
}

ObjectPtr View::Get(const Key& key) const {
  const ObjectPtr* found = objects_.Find(key);
  return found ? *found : nullptr;
}

ObjectPtr View::Get(std::string_view resource, std::string_view ns, std::string_view name) const {
  return Get(Key{std::string(resource), std::string(ns), std::string(name)});
}

View::Range View::List(std::string_view resource, std::string_view ns) const {
  return ListFrom(Key{std::string(resource), std::string(ns), ""}, ns);
}

View::Range View::ListFrom(const Key& from, std::string_view ns) const {
  Range range;
  range.objects_ = &objects_;
  range.resource_ = from.resource;
  range.ns_ = std::string(ns);
  range.all_namespaces_ = ns.empty();
  range.after_ = from;
  range.visits_ = visits_;
  return range;
}

size_t View::CountFrom(const Key& from, std::string_view ns) const {
  // The least string that is greater than s is s with a zero byte after it.
  const std::string zero(1, '\0');
  const Key end = ns.empty() ? Key{from.resource + zero, "", ""}
                             : Key{from.resource, std::string(ns) + zero, ""};
  return objects_.CountBefore(end) - objects_.CountBefore(from);
}

View::IndexRange View::Lookup(Index index, std::string_view value) const {
  IndexRange range;
  range.set_ = &indexes_[static_cast<size_t>(index)];
  range.value_ = value;
  range.visits_ = visits_;
  return range;
}

View::IndexRange View::LookupFrom(Index index, std::string_view value) const {
  IndexRange range = Lookup(index, value);
  range.all_values_ = true;
  return range;
}

std::vector<ObjectPtr> View::Find(std::span<const Term> terms, std::string_view resource,
                                  std::string_view ns) const {
  CHECK(!terms.empty());
  std::vector<ObjectPtr> found;
  Key at{std::string(resource), std::string(ns), ""};
  size_t agree = 0;  // terms in a row that stand at `at`
  for (size_t i = 0;; i = (i + 1) % terms.size()) {
    const IndexSet& set = indexes_[static_cast<size_t>(terms[i].index)];
    const auto next = set.From(IndexLess::Probe(terms[i].value, &at));
    if (next.AtEnd() || next->value != terms[i].value) return found;
    const ObjectPtr& object = Visited(next->object, visits_);
    if (object->key.resource != resource || (!ns.empty() && object->key.ns != ns)) return found;
    agree = object->key == at ? agree + 1 : 1;
    at = object->key;
    if (agree < terms.size()) continue;
    found.push_back(object);
    at.name += '\0';  // the least key after it
    agree = 0;
  }
}

void View::Put(ObjectPtr object) {
  if (const ObjectPtr* old = objects_.Find(object->key)) IndexObject(*old, false);
  IndexObject(object, true);
  objects_.Insert(std::move(object));
}

void View::Remove(const Key& key) {
  const ObjectPtr old = Get(key);
  if (old == nullptr) return;
  IndexObject(old, false);
  objects_.Erase(key);
}

void View::IndexObject(const ObjectPtr& object, bool add) {
  const manifests::KindFacts& facts = manifests::FactsOf(object->key.resource);
  for (size_t i = 0; i < kIndexes; ++i) {
    IndexValues(static_cast<Index>(i), facts, *object, [&](std::string_view value) {
      if (value.empty()) return;
      if (add) {
        indexes_[i].Insert(IndexEntry{value, object});
      } else {
        indexes_[i].Erase(IndexLess::Probe(value, &object->key));
      }
    });
  }
}

}  // namespace state
