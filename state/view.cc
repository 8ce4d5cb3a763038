#include "state/view.h"

#include "manifests/kinds/kind_facts.h"

namespace state {
namespace {

// Calls `emit` with each string that `index` files the object under.
template <typename Emit>
void IndexValues(Index index, const Object& object, const Emit& emit) {
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
      if (manifests::FactsOf(object.key.resource).adoptable && !object.ControllerRef().Exists())
        emit(object.Meta("namespace").AsString());
      return;
  }
}

}  // namespace

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
  return range;
}

View::IndexRange View::Lookup(Index index, std::string_view value) const {
  IndexRange range;
  range.set_ = &indexes_[static_cast<size_t>(index)];
  range.value_ = value;
  return range;
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
  for (size_t i = 0; i < kIndexes; ++i) {
    IndexValues(static_cast<Index>(i), *object, [&](std::string_view value) {
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
