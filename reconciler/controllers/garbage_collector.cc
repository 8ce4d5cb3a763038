// Garbage collector: what belongs to an object goes when that object goes.
//
// metadata.ownerReferences name owners by kind, name and uid. An owner that exists under its name
// with another uid is gone: that is another object. Three ways an owner may go:
//   background  it is gone at once. A dependent that has no other owner left is deleted; one that
//               has keeps it, and loses the dead references.
//   foreground  it waits (finalizer "foregroundDeletion"). Its dependents are deleted the same way,
//               and it goes when none is left that has blockOwnerDeletion.
//   orphan      it waits (finalizer "orphan") until its dependents have lost their references to
//   it.
// An owner that is known only by a kind which the schema does not have, or that cannot own by the
// rules (a namespaced owner of a cluster-scoped object), may live for all we know: what refers to
// it is never deleted, and an event says why.
#include <set>
#include <string>
#include <vector>

#include "reconciler/controllers/all.h"
#include "reconciler/controllers/announce.h"

namespace reconciler {
namespace {

constexpr int kMaxOwnerDepth = 16;  // levels of owners that are searched for a circle
constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

bool HasFinalizer(const state::Object& object, std::string_view finalizer) {
  for (base::Value each : object.Meta("finalizers").Elements()) {
    if (each.AsString() == finalizer) return true;
  }
  return false;
}

bool WaitsForDependents(const state::Object& object) {
  return object.Deleting() && HasFinalizer(object, kForeground);
}

bool WaitsForOrphans(const state::Object& object) {
  return object.Deleting() && HasFinalizer(object, kOrphan);
}

// The reference by which `object` names `uid`, or a missing value.
base::Value ReferenceTo(const state::Object& object, std::string_view uid) {
  for (base::Value reference : object.Meta("ownerReferences").Elements()) {
    if (reference["uid"].AsString() == uid) return reference;
  }
  return base::Value();
}

enum class OwnerState {
  kSolid,    // lives
  kWaiting,  // lives only until its dependents are gone, this one among them
  kGone,
  kUnknown,  // nobody here can tell
};

struct Owner {
  OwnerState state = OwnerState::kUnknown;
  state::ObjectPtr object;  // null unless it lives
};

Owner FindOwner(const state::View& view, const manifests::Schema& schema,
                const state::Object& dependent, base::Value reference) {
  const manifests::Kind* kind =
      schema.FindKind(reference["apiVersion"].AsString(), reference["kind"].AsString());
  if (kind == nullptr || (kind->namespaced && dependent.key.ns.empty())) return Owner();
  state::ObjectPtr owner =
      view.Get(kind->Resource(), kind->namespaced ? std::string_view(dependent.key.ns) : "",
               reference["name"].AsString());
  if (owner == nullptr || owner->Uid() != reference["uid"].AsString())
    return Owner{OwnerState::kGone, nullptr};
  const bool waits = WaitsForDependents(*owner) && reference["blockOwnerDeletion"].AsBool();
  return Owner{waits ? OwnerState::kWaiting : OwnerState::kSolid, std::move(owner)};
}

// Whether `object` depends on what has `uid`, directly or through its owners: then that one must
// not wait for it in turn.
bool DependsOn(const state::View& view, const manifests::Schema& schema,
               const state::Object& object, std::string_view uid, int depth = 0) {
  if (object.Uid() == uid) return true;
  if (depth == kMaxOwnerDepth) return false;
  for (base::Value reference : object.Meta("ownerReferences").Elements()) {
    const Owner owner = FindOwner(view, schema, object, reference);
    if (owner.object && DependsOn(view, schema, *owner.object, uid, depth + 1)) return true;
  }
  return false;
}

// The dependents of `uid`, at most `limit`.
std::vector<state::ObjectPtr> DependentsOf(const state::View& view, std::string_view uid,
                                           size_t limit) {
  std::vector<state::ObjectPtr> dependents;
  for (const state::ObjectPtr& object : view.Lookup(state::Index::kOwner, uid)) {
    if (dependents.size() == limit) break;
    dependents.push_back(object);
  }
  return dependents;
}

template <typename Predicate>
base::Status RemoveReferences(Turn& turn, const state::Object& object, const Predicate& remove) {
  base::Json json = object.document.ToJson();
  base::Json::Array& references = json["metadata"]["ownerReferences"].MutableElements();
  std::erase_if(references, [&](const base::Json& each) { return remove(each["uid"].AsString()); });
  if (references.empty()) json["metadata"].Remove("ownerReferences");
  return turn.draft().Update(std::move(json)).status();
}

base::Status RemoveFinalizer(Turn& turn, const state::Key& key, std::string_view finalizer) {
  base::Json json = turn.view().Get(key)->document.ToJson();
  std::erase_if(json["metadata"]["finalizers"].MutableElements(),
                [&](const base::Json& each) { return each.AsString() == finalizer; });
  return turn.draft().Update(std::move(json)).status();
}

class GarbageCollector final : public Controller {
 public:
  std::string_view name() const override { return "garbage-collector"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Object& object = *change.object;
    if (change.removed) {
      for (const state::ObjectPtr& dependent : view.Lookup(state::Index::kOwner, object.Uid()))
        enqueue(dependent->key);
    } else if (WaitsForDependents(object) || WaitsForOrphans(object)) {
      enqueue(object.key);
    } else if (ChangedOwners(change) && !object.Meta("ownerReferences").empty()) {
      enqueue(object.key);
    }
    // An owner that waits looks at what it waits for.
    if (!ChangedOwners(change)) return;
    EnqueueOwners(object, enqueue);
    if (change.previous) EnqueueOwners(*change.previous, enqueue);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr object = ObjectOf(turn, key);
    if (object == nullptr) return base::Status();
    if (WaitsForOrphans(*object)) return OrphanDependents(turn, *object);
    if (WaitsForDependents(*object)) return DeleteDependents(turn, *object);
    return object->Deleting() ? base::Status() : CheckOwners(turn, *object);
  }

 private:
  static bool ChangedOwners(const state::Change& change) {
    return change.created() || change.removed ||
           !(change.previous->Meta("ownerReferences") == change.object->Meta("ownerReferences"));
  }

  // Which resource a kind is only the schema knows, which a turn has: until then an owner goes by
  // "apps/v1 ReplicaSet" in the place of its resource, and by its dependent's namespace.
  static void EnqueueOwners(const state::Object& dependent, const Enqueue& enqueue) {
    for (base::Value reference : dependent.Meta("ownerReferences").Elements()) {
      enqueue(state::Key{std::string(reference["apiVersion"].AsString()) + " " +
                             std::string(reference["kind"].AsString()),
                         dependent.key.ns, std::string(reference["name"].AsString())});
    }
  }

  static state::ObjectPtr ObjectOf(Turn& turn, const state::Key& key) {
    const size_t space = key.resource.find(' ');
    if (space == std::string::npos) return turn.view().Get(key);
    const manifests::Kind* kind = turn.draft().schema().FindKind(key.resource.substr(0, space),
                                                                 key.resource.substr(space + 1));
    if (kind == nullptr) return nullptr;
    return turn.view().Get(kind->Resource(), kind->namespaced ? key.ns : "", key.name);
  }

  static base::Status OrphanDependents(Turn& turn, const state::Object& owner) {
    const std::vector<state::ObjectPtr> dependents =
        DependentsOf(turn.view(), owner.Uid(), kMaxWritesPerTurn);
    for (const state::ObjectPtr& dependent : dependents) {
      RETURN_IF_ERROR(RemoveReferences(turn, *dependent,
                                       [&](std::string_view uid) { return uid == owner.Uid(); }));
    }
    if (dependents.size() < kMaxWritesPerTurn) return RemoveFinalizer(turn, owner.key, kOrphan);
    turn.Again(base::Duration());
    return base::Status();
  }

  static base::Status DeleteDependents(Turn& turn, const state::Object& owner) {
    const manifests::Schema& schema = turn.draft().schema();
    const state::View before = turn.view();
    size_t written = 0;
    bool blocked = false;
    for (const state::ObjectPtr& dependent : before.Lookup(state::Index::kOwner, owner.Uid())) {
      if (!dependent->Deleting()) {
        if (written++ == kMaxWritesPerTurn) {
          turn.Again(base::Duration());
          return base::Status();
        }
        RETURN_IF_ERROR(LetGo(turn, owner, *dependent));
      }
      const state::ObjectPtr left = turn.view().Get(dependent->key);
      blocked |= left && ReferenceTo(*left, owner.Uid())["blockOwnerDeletion"].AsBool() &&
                 !DependsOn(turn.view(), schema, owner, left->Uid());
    }
    return blocked ? base::Status() : RemoveFinalizer(turn, owner.key, kForeground);
  }

  // A dependent of an owner that goes in the foreground follows it, unless another owner keeps it.
  static base::Status LetGo(Turn& turn, const state::Object& owner,
                            const state::Object& dependent) {
    const manifests::Schema& schema = turn.draft().schema();
    for (base::Value reference : dependent.Meta("ownerReferences").Elements()) {
      if (reference["uid"].AsString() == owner.Uid()) continue;
      const OwnerState other = FindOwner(turn.view(), schema, dependent, reference).state;
      if (other != OwnerState::kSolid && other != OwnerState::kUnknown) continue;
      return RemoveReferences(turn, dependent,
                              [&](std::string_view uid) { return uid == owner.Uid(); });
    }
    state::DeleteOptions options;
    options.uid = dependent.Uid();
    if (!DependentsOf(turn.view(), dependent.Uid(), 1).empty())
      options.propagation = state::Propagation::kForeground;
    return turn.draft().Delete(dependent.key, options).status();
  }

  static base::Status CheckOwners(Turn& turn, const state::Object& dependent) {
    const manifests::Schema& schema = turn.draft().schema();
    std::set<std::string, std::less<>> gone;
    bool kept = false;
    for (base::Value reference : dependent.Meta("ownerReferences").Elements()) {
      switch (FindOwner(turn.view(), schema, dependent, reference).state) {
        case OwnerState::kGone: gone.emplace(reference["uid"].AsString()); break;
        case OwnerState::kUnknown: SayUnknown(turn, dependent, reference); [[fallthrough]];
        case OwnerState::kSolid:
        case OwnerState::kWaiting: kept = true;
      }
    }
    if (gone.empty()) return base::Status();
    if (kept) {
      return RemoveReferences(turn, dependent,
                              [&](std::string_view uid) { return gone.count(uid) != 0; });
    }
    state::DeleteOptions options;
    options.uid = dependent.Uid();
    return turn.draft().Delete(dependent.key, options).status();
  }

  static void SayUnknown(Turn& turn, const state::Object& dependent, base::Value reference) {
    const std::string owner = std::string(reference["apiVersion"].AsString()) + " " +
                              std::string(reference["kind"].AsString()) + " \"" +
                              std::string(reference["name"].AsString()) + "\"";
    EventOnce(turn, dependent, EventType::kWarning, "OwnerUnknown",
              "owner " + owner +
                  " cannot be looked up: its kind is not served here, or it is in a namespace and "
                  "this object is not. The object is kept; remove the reference if it is wrong");
  }
};

}  // namespace

std::unique_ptr<Controller> NewGarbageCollectorController(const ControllerSettings&) {
  return std::make_unique<GarbageCollector>();
}

}  // namespace reconciler
