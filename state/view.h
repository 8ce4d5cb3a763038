// View: an immutable snapshot of all objects at one revision, with indexes. Every decision in plumb
// reads one.
//
// Copying is O(1) and shares; any thread may read and drop a copy. What it hands out lives as long
// as the View.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "manifests/schema.h"
#include "state/object.h"
#include "state/persistent_set.h"

namespace state {

// The indexes. Each maps a string that stands in the object's document to the objects that have it
// there.
enum class Index {
  kOwner,  // metadata.ownerReferences[].uid, of all kinds
  kNode,   // spec.nodeName of pods
  kAbout,  // involvedObject.uid of events
  // metadata.namespace of what has no controller and may find one: manifests::KindFacts::adoptable.
  kOrphan,
  kLabel,  // each of the labels that IsFiled, "app":"web", of manifests::KindFacts::selectable
  // The labels that spec.selector wants to be equal, all together, {"app":"web"}, of all kinds:
  // manifests::EqualLabelsOf.
  kSelector,
  kTaken,  // spec.clusterIP and spec.ports[].nodePort of services
  kEnded,  // metadata.creationTimestamp of pods that ended and are not being deleted
};
inline constexpr size_t kIndexes = 8;

// Whether the index of labels has this one. Those that tell the revisions of one workload apart are
// on many pods, and nobody looks for them alone.
bool IsFiled(std::string_view label);

// What a Service has that no other may: its address, its node ports. Nothing for other kinds.
void ForEachTaken(std::string_view resource, base::Value object,
                  const std::function<void(std::string_view)>& visit);

class View {
  struct IndexEntry {
    std::string_view value;  // inside object->document
    ObjectPtr object;
  };
  struct IndexLess {
    using Probe = std::pair<std::string_view, const Key*>;  // a null key comes before all
    static std::tuple<std::string_view, const Key&> Order(const IndexEntry& e) {
      return {e.value, e.object->key};
    }
    bool operator()(const IndexEntry& a, const IndexEntry& b) const { return Order(a) < Order(b); }
    bool operator()(const IndexEntry& a, const Probe& b) const {
      if (a.value != b.first) return a.value < b.first;
      return b.second != nullptr && a.object->key < *b.second;
    }
    bool operator()(const Probe& a, const IndexEntry& b) const {
      if (a.first != b.value) return a.first < b.value;
      return a.second == nullptr || *a.second < b.object->key;
    }
  };
  using Objects = PersistentSet<ObjectPtr, ObjectLess>;
  using IndexSet = PersistentSet<IndexEntry, IndexLess>;

  static const ObjectPtr& Visited(const ObjectPtr& object, size_t* visits) {
    if (visits != nullptr) ++*visits;
    return object;
  }

 public:
  // for (const ObjectPtr& pod : view.List("pods", "default")): in key order.
  class Range {
   public:
    class Iterator {
     public:
      const ObjectPtr& operator*() const { return Visited(*inner_, range_->visits_); }
      Iterator& operator++() {
        ++inner_;
        return *this;
      }
      bool operator!=(std::nullptr_t) const {
        return !inner_.AtEnd() && (*inner_)->key.resource == range_->resource_ &&
               (range_->all_namespaces_ || (*inner_)->key.ns == range_->ns_);
      }

     private:
      friend class Range;
      Iterator(const Range* range, Objects::Iterator inner)
          : range_(range), inner_(std::move(inner)) {}
      const Range* range_;
      Objects::Iterator inner_;
    };
    Iterator begin() const { return Iterator(this, objects_->From(after_)); }
    std::nullptr_t end() const { return nullptr; }
    bool empty() const { return !(begin() != end()); }

   private:
    friend class View;
    const Objects* objects_ = nullptr;
    std::string resource_, ns_;
    bool all_namespaces_ = false;
    Key after_;
    size_t* visits_ = nullptr;
  };

  // for (const ObjectPtr& pod : view.Lookup(Index::kNode, "n1")): in key order.
  class IndexRange {
   public:
    class Iterator {
     public:
      const ObjectPtr& operator*() const { return Visited(inner_->object, range_->visits_); }
      Iterator& operator++() {
        ++inner_;
        return *this;
      }
      bool operator!=(std::nullptr_t) const {
        return !inner_.AtEnd() && (range_->all_values_ || inner_->value == range_->value_);
      }

     private:
      friend class IndexRange;
      Iterator(const IndexRange* range, IndexSet::Iterator inner)
          : range_(range), inner_(std::move(inner)) {}
      const IndexRange* range_;
      IndexSet::Iterator inner_;
    };
    Iterator begin() const { return Iterator(this, set_->From(IndexLess::Probe(value_, nullptr))); }
    std::nullptr_t end() const { return nullptr; }
    bool empty() const { return !(begin() != end()); }

   private:
    friend class View;
    const IndexSet* set_ = nullptr;
    std::string_view value_;
    bool all_values_ = false;
    size_t* visits_ = nullptr;
  };

  // What an index is asked for.
  struct Term {
    Index index;
    std::string_view value;
  };

  Revision revision() const { return revision_; }
  size_t size() const { return objects_.size(); }
  // What the objects follow. Null in a View that no store made, such as an agent's.
  const manifests::SchemaPtr& schema() const { return schema_; }

  // Null if there is none.
  ObjectPtr Get(const Key& key) const;
  ObjectPtr Get(std::string_view resource, std::string_view ns, std::string_view name) const;

  // All of a resource; in one namespace, or in all of them for an empty `ns`.
  Range List(std::string_view resource, std::string_view ns = {}) const;
  // The same, from the first key that is not less than `from`.
  Range ListFrom(const Key& from, std::string_view ns = {}) const;

  // Calls `visit` with every object, by key: for backups and checks.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (auto it = objects_.begin(); !it.AtEnd(); ++it) visit(*it);
  }

  // How many ListFrom would visit, without visiting them.
  size_t CountFrom(const Key& from, std::string_view ns = {}) const;

  IndexRange Lookup(Index index, std::string_view value) const;
  // All that the index has, by value; from `value` on.
  IndexRange LookupAll(Index index) const { return LookupFrom(index, {}); }
  IndexRange LookupFrom(Index index, std::string_view value) const;
  size_t Count(Index index) const { return indexes_[static_cast<size_t>(index)].size(); }
  // The objects of `resource` in `ns` (in all, if empty) that every one of `terms` finds, which are
  // one at least: by key, at the cost of the term that finds fewest.
  std::vector<ObjectPtr> Find(std::span<const Term> terms, std::string_view resource,
                              std::string_view ns) const;

  // For tests of what something costs: from now on the objects that this View and its copies show,
  // but for Get and ForEach, are counted there.
  void CountVisits(size_t* visits) { visits_ = visits; }

  // The store's and drafts' side: a new version of an object, or its removal.
  void Put(ObjectPtr object);
  void Remove(const Key& key);
  void set_revision(Revision revision) { revision_ = revision; }
  void set_schema(manifests::SchemaPtr schema) { schema_ = std::move(schema); }

 private:
  void IndexObject(const ObjectPtr& object, bool add);

  Revision revision_ = 0;
  manifests::SchemaPtr schema_;
  Objects objects_;
  IndexSet indexes_[kIndexes];
  size_t* visits_ = nullptr;
};

}  // namespace state
