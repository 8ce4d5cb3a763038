// Namespace: says that it is active, and empties it when it ends.
//
// A namespace that is being deleted loses its pods first, while their ConfigMaps, Secrets and
// policies are still there for what they do on their way out; then everything else, of every
// namespaced kind of the schema. What stays, and which finalizers hold it, stands in two
// conditions. When nothing is left the namespace gives up its finalizer "kubernetes" and goes,
// unless finalizers of its metadata hold it.
//
// Objects that go one by one do not each have the rest counted: only what comes, and the last of a
// kind to go, calls for a turn. The conditions follow after kRecount at the latest.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "reconciler/controllers/all.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr std::string_view kFinalizer = "kubernetes";
constexpr base::Duration kRecount = base::Duration::Seconds(10);

// What is still in a namespace, counted for people.
struct Remains {
  std::map<std::string, int> kinds;       // resource -> objects
  std::map<std::string, int> finalizers;  // finalizer -> objects that it holds
  bool more = false;                      // there is more to be deleted, which is not counted
  bool empty() const { return kinds.empty() && !more; }

  void Count(const state::Object& object) {
    ++kinds[object.key.resource];
    for (base::Value finalizer : object.Meta("finalizers").Elements())
      ++finalizers[std::string(finalizer.AsString())];
  }

  static std::string List(const std::map<std::string, int>& counts) {
    std::string text;
    for (const auto& [name, count] : counts)
      text += (text.empty() ? "" : ", ") + name + " (" + std::to_string(count) + ")";
    return text;
  }
};

class NamespaceController final : public Controller {
 public:
  std::string_view name() const override { return "namespace"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "namespaces") return enqueue(key);
    if (key.ns.empty()) return;
    const bool last = change.removed && view.List(key.resource, key.ns).empty();
    if (!change.created() && !last) return;
    const state::Key ns{"namespaces", "", key.ns};
    const state::ObjectPtr object = view.Get(ns);
    if (object != nullptr && object->Deleting()) enqueue(ns);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr ns = turn.view().Get(key);
    if (ns == nullptr) return base::Status();
    if (!ns->Deleting()) return WritePhase(turn, *ns);
    ASSIGN_OR_RETURN(const Remains remains, DeleteContent(turn, key.name));
    if (remains.more) {
      turn.Again(base::Duration());
      return base::Status();
    }
    RETURN_IF_ERROR(WriteConditions(turn, *ns, remains));
    if (remains.empty()) return RemoveFinalizer(turn, key);
    turn.Again(kRecount);
    return base::Status();
  }

 private:
  static base::Status WritePhase(Turn& turn, const state::Object& ns) {
    base::Json status = ns["status"].ToJson();
    status.Set("phase", "Active");
    return turn.draft().UpdateStatus(ns.key, std::move(status)).status();
  }

  // Begins to delete what can go by now; the rest comes back. Kinds other than pods wait until no
  // pod is left.
  static base::Result<Remains> DeleteContent(Turn& turn, const std::string& ns) {
    Remains remains;
    size_t budget = kMaxWritesPerTurn;
    RETURN_IF_ERROR(DeleteAll(turn, "pods", ns, budget, remains));
    const bool pods_left = !remains.empty();
    std::set<std::string> seen = {"pods"};
    for (const manifests::Kind* kind : turn.draft().schema().kinds()) {
      if (!kind->namespaced || !seen.insert(kind->Resource()).second || remains.more) continue;
      if (pods_left) {
        for (const state::ObjectPtr& object : turn.view().List(kind->Resource(), ns))
          remains.Count(*object);
      } else {
        RETURN_IF_ERROR(DeleteAll(turn, kind->Resource(), ns, budget, remains));
      }
    }
    return remains;
  }

  // Deletes up to `budget` objects of one resource and counts those that are still there.
  static base::Status DeleteAll(Turn& turn, const std::string& resource, const std::string& ns,
                                size_t& budget, Remains& remains) {
    const state::View before = turn.view();
    for (const state::ObjectPtr& object : before.List(resource, ns)) {
      if (!object->Deleting()) {
        remains.more = budget == 0;
        if (remains.more) break;
        --budget;
        RETURN_IF_ERROR(turn.draft().Delete(object->key, state::DeleteOptions()).status());
      }
      const state::ObjectPtr now = turn.view().Get(object->key);
      if (now != nullptr) remains.Count(*now);
    }
    return base::Status();
  }

  static base::Status WriteConditions(Turn& turn, const state::Object& ns, const Remains& remains) {
    base::Json status = ns["status"].ToJson();
    status.Set("phase", "Terminating");
    const auto write = [&](const char* type, bool is, const char* yes, const char* no,
                           const std::string& message) {
      SetCondition(status, type, is ? "True" : "False", is ? yes : no, message, turn.now().wall);
    };
    write("NamespaceContentRemaining", !remains.empty(), "SomeResourcesRemain", "ContentRemoved",
          remains.empty() ? "all content is deleted"
                          : "still there: " + Remains::List(remains.kinds));
    write("NamespaceFinalizersRemaining", !remains.finalizers.empty(), "SomeFinalizersRemain",
          "ContentHasNoFinalizers",
          remains.finalizers.empty()
              ? "no finalizer holds any content"
              : "finalizers that hold objects: " + Remains::List(remains.finalizers));
    return turn.draft().UpdateStatus(ns.key, std::move(status)).status();
  }

  static base::Status RemoveFinalizer(Turn& turn, const state::Key& key) {
    base::Json object = turn.view().Get(key)->document.ToJson();
    base::Json* finalizers = object["spec"].Find("finalizers");
    if (finalizers == nullptr) return base::Status();
    const size_t removed = std::erase_if(finalizers->MutableElements(), [](const base::Json& each) {
      return each.AsString() == kFinalizer;
    });
    return removed == 0 ? base::Status() : turn.draft().Update(std::move(object)).status();
  }
};

}  // namespace

std::unique_ptr<Controller> NewNamespaceController(const ControllerSettings&) {
  return std::make_unique<NamespaceController>();
}

}  // namespace reconciler
