// Pod collector: removes pods that nobody else will.
//
// A pod that is bound to a node which does not exist is marked (condition DisruptionTarget, and not
// ready). When the node has not come back kLostNodeGrace after the mark, the pod is removed without
// its agent's word; when it has, the mark goes. The mark is in the store, so that a restart does
// not begin anew.
//
// Of pods that ended only the youngest are kept, up to a limit: the oldest go first.
#include <algorithm>
#include <string>
#include <vector>

#include "reconciler/controllers/all.h"
#include "reconciler/controllers/announce.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr base::Duration kLostNodeGrace = base::Duration::Seconds(40);
constexpr std::string_view kMark = "DisruptionTarget";
constexpr std::string_view kMarkReason = "DeletionByPodGC";

// Stands for all pods that ended.
state::Key EndedKey() { return state::Key{"pods", "", ""}; }

std::string_view NodeOf(const state::Object& pod) { return pod["spec"]["nodeName"].AsString(); }

bool IsMarked(const state::Object& pod) {
  return ConditionOf(pod["status"], kMark)["reason"].AsString() == kMarkReason;
}

class PodCollector final : public Controller {
 public:
  explicit PodCollector(size_t max_ended) : max_ended_(max_ended) {}
  std::string_view name() const override { return "pod-collector"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "nodes" && (change.removed || change.created())) {
      for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, key.name))
        if (change.removed || IsMarked(*pod)) enqueue(pod->key);
    }
    if (key.resource != "pods" || change.removed) return;
    const state::Object& pod = *change.object;
    if (!NodeOf(pod).empty() && view.Get("nodes", "", NodeOf(pod)) == nullptr) enqueue(key);
    if (HasEnded(pod) && (change.created() || !HasEnded(*change.previous))) enqueue(EndedKey());
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    if (key == EndedKey()) return RemoveOldest(turn);
    const state::ObjectPtr pod = turn.view().Get(key);
    if (pod == nullptr || NodeOf(*pod).empty()) return base::Status();
    const bool lost = turn.view().Get("nodes", "", NodeOf(*pod)) == nullptr;
    if (!lost) return IsMarked(*pod) ? Unmark(turn, *pod) : base::Status();
    if (!IsMarked(*pod)) RETURN_IF_ERROR(Mark(turn, *pod));
    return RemoveWhenDue(turn, *turn.view().Get(key));
  }

 private:
  static base::Status Mark(Turn& turn, const state::Object& pod) {
    const std::string message = "node " + std::string(NodeOf(pod)) +
                                " does not exist: the pod is removed if it is not back within " +
                                kLostNodeGrace.ToString();
    base::Json status = pod["status"].ToJson();
    RemoveCondition(status, kMark);  // another's mark has another time
    SetCondition(status, kMark, "True", kMarkReason, message, turn.now().wall);
    RETURN_IF_ERROR(turn.draft().UpdateStatus(pod.key, std::move(status)).status());
    turn.Event(pod, EventType::kWarning, "NodeLost", message);
    return MarkPodNotReady(turn, pod.key, "NodeLost", message);
  }

  static base::Status Unmark(Turn& turn, const state::Object& pod) {
    base::Json status = pod["status"].ToJson();
    RemoveCondition(status, kMark);
    return turn.draft().UpdateStatus(pod.key, std::move(status)).status();
  }

  static base::Status RemoveWhenDue(Turn& turn, const state::Object& pod) {
    ASSIGN_OR_RETURN(
        const base::WallTime since,
        base::WallTime::Parse(ConditionOf(pod["status"], kMark)["lastTransitionTime"].AsString()));
    const base::Duration wait = since + kLostNodeGrace - turn.now().wall;
    if (wait <= base::Duration()) return Remove(turn, pod);
    turn.Again(wait);
    return base::Status();
  }

  static base::Status Remove(Turn& turn, const state::Object& pod) {
    state::DeleteOptions options;
    options.grace_period_seconds = 0;
    options.uid = pod.Uid();
    return turn.draft().Delete(pod.key, options).status();
  }

  base::Status RemoveOldest(Turn& turn) const {
    const size_t ended = turn.view().Count(state::Index::kEnded);
    if (ended <= max_ended_) return base::Status();
    const size_t excess = ended - max_ended_;
    const size_t count = std::min(excess, kMaxWritesPerTurn);
    std::vector<state::ObjectPtr> oldest;
    for (const state::ObjectPtr& pod : turn.view().LookupAll(state::Index::kEnded)) {
      oldest.push_back(pod);
      if (oldest.size() == count) break;
    }
    for (const state::ObjectPtr& pod : oldest) RETURN_IF_ERROR(Remove(turn, *pod));
    if (excess > count) turn.Again(base::Duration());
    return base::Status();
  }

  const size_t max_ended_;
};

}  // namespace

std::unique_ptr<Controller> NewPodCollectorController(const ControllerSettings& settings) {
  return std::make_unique<PodCollector>(settings.max_ended_pods);
}

}  // namespace reconciler
