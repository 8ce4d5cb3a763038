// DaemonSet: one pod on each node that fits.
//
// Which nodes fit is asked of ControllerSettings::daemon_fit. A pod is made for its node and bound
// to it by an affinity; the scheduler places it. What to make and what to remove is decided in
// numbers (rollout/daemons.h), among the pods that have not ended. One that ended is removed and
// replaced in the same turn: at once if it is the first on its node, else after a time that doubles
// with each that follows; the count travels from pod to pod as an annotation. Pods of nodes that do
// not exist are removed if they were never placed; the others are the pod collector's.
//
// Each template has a ControllerRevision (revisions.h), whose hash its pods bear as a label: that
// is how old pods are told from new ones. The status counts nodes by the oldest pod that each has.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "reconciler/claims.h"
#include "reconciler/controllers/all.h"
#include "reconciler/daemon_pods.h"
#include "reconciler/owned_pods.h"
#include "reconciler/pods.h"
#include "reconciler/revisions.h"
#include "reconciler/rollout/daemons.h"

namespace reconciler {
namespace {

constexpr std::string_view kDaemonSets = "daemonsets.apps";
constexpr ClaimKinds kPodKinds = {kDaemonSets, "DaemonSet", "pods"};
constexpr ClaimKinds kRevisionKinds = {kDaemonSets, "DaemonSet", kRevisions};

using FitFunction = decltype(ControllerSettings::daemon_fit);

// A node of the cluster with what the set has there.
struct NodeState {
  std::string name;
  DaemonNode numbers;
  Objects pods;          // numbers.pods, as objects
  int64_t failures = 0;  // of pods that the next one replaces
};

bool IsOlderPod(const state::ObjectPtr& a, const state::ObjectPtr& b) {
  const auto age = [](const state::Object& pod) {
    return std::tuple(pod.Meta("creationTimestamp").AsString(), std::string_view(pod.key.name));
  };
  return age(*a) < age(*b);
}

// One turn for one DaemonSet.
class DaemonSetTurn {
 public:
  DaemonSetTurn(Turn& turn, const state::Object& set, Revisions revisions, const FitFunction& fit)
      : turn_(turn),
        set_(set),
        revisions_(std::move(revisions)),
        fit_(fit),
        status_(set["status"].ToJson()) {}

  base::Status Run(Objects pods) {
    int64_t collisions = std::as_const(status_)["collisionCount"].AsInt();
    if (!set_.Deleting()) RETURN_IF_ERROR(revisions_.Sync(collisions));
    if (collisions > 0) status_.Set("collisionCount", collisions);
    std::sort(pods.begin(), pods.end(), IsOlderPod);
    RETURN_IF_ERROR(ReadNodes(pods));
    if (!set_.Deleting()) {
      RETURN_IF_ERROR(Act());
      RETURN_IF_ERROR(Forget(pods));
    }
    return WriteStatus();
  }

 private:
  // Fills nodes_, by name. Pods that ended are removed when it is time.
  base::Status ReadNodes(const Objects& pods) {
    std::map<std::string, size_t, std::less<>> places;
    for (const state::ObjectPtr& node : turn_.view().List("nodes")) {
      const DaemonFit fit = fit_(set_["spec"]["template"]["spec"], *node);
      places.emplace(node->key.name, nodes_.size());
      nodes_.push_back({.name = node->key.name,
                        .numbers = {.should_run = fit.should_run && !node->Deleting(),
                                    .should_continue = fit.should_continue}});
    }
    for (const state::ObjectPtr& pod : pods) {
      const std::string name = NodeOfDaemon(*pod);
      const auto place = places.find(name);
      if (place != places.end()) {
        RETURN_IF_ERROR(AddPod(nodes_[place->second], pod));
      } else if (!name.empty() && (*pod)["spec"]["nodeName"].AsString().empty() && IsMine(*pod)) {
        RETURN_IF_ERROR(DeletePod(turn_, set_, *pod));
      }
    }
    return base::Status();
  }

  // It is not ending, and neither is the set.
  bool IsMine(const state::Object& pod) const { return !set_.Deleting() && !pod.Deleting(); }

  base::Status AddPod(NodeState& node, const state::ObjectPtr& pod) {
    if (HasEnded(*pod)) return IsMine(*pod) ? AddEnded(node, *pod) : base::Status();
    node.numbers.pods.push_back(
        {.updated = pod->Labels()[kRevisionHashLabel].AsString() == revisions_.hash(),
         .available = IsAvailableNow(*pod),
         .ending = pod->Deleting()});
    node.pods.push_back(pod);
    return base::Status();
  }

  base::Status AddEnded(NodeState& node, const state::Object& pod) {
    const base::Duration left = FailureLeft(pod, turn_.now().wall);
    if (left > base::Duration()) {
      turn_.Again(left);
      node.numbers.waits = true;
      return base::Status();
    }
    node.failures = std::max(node.failures, FailuresUpTo(pod));
    turn_.Event(set_, EventType::kWarning, "FailedDaemonPod",
                "pod " + pod.key.name + " on node " + node.name + " has ended (" +
                    std::string(pod["status"]["phase"].AsString()) + "): it is replaced");
    return DeletePod(turn_, set_, pod);
  }

  bool IsAvailableNow(const state::Object& pod) {
    base::Duration wait;
    const bool available =
        IsAvailable(pod, set_["spec"]["minReadySeconds"].AsInt(), turn_.now().wall, &wait);
    if (wait > base::Duration()) turn_.Again(wait);
    return available;
  }

  int64_t Desired() const {
    return std::count_if(nodes_.begin(), nodes_.end(),
                         [](const NodeState& node) { return node.numbers.should_run; });
  }

  base::Status Act() {
    std::vector<DaemonNode> numbers;
    for (const NodeState& node : nodes_) numbers.push_back(node.numbers);
    const DaemonSteps steps = PlanDaemons(DaemonLimitsOf(set_["spec"], Desired()), numbers);
    size_t done = 0;
    for (const DaemonSteps::Pod& step : steps.remove) {
      if (++done > kMaxWritesPerTurn) break;
      RETURN_IF_ERROR(DeletePod(turn_, set_, *nodes_[step.node].pods[step.pod]));
      nodes_[step.node].numbers.pods[step.pod].ending = true;
    }
    for (const size_t place : steps.create) {
      if (++done > kMaxWritesPerTurn) break;
      NodeState& node = nodes_[place];
      const auto created =
          CreatePod(turn_, set_, DaemonPodFor(set_, node.name, revisions_.hash(), node.failures));
      if (!created.ok()) break;  // the event says why; the others would fare no better
      node.numbers.pods.push_back({.updated = true});
      node.pods.push_back(*created);
    }
    if (done > kMaxWritesPerTurn) turn_.Again(base::Duration());
    return base::Status();
  }

  base::Status Forget(const Objects& pods) {
    std::set<std::string, std::less<>> live;
    for (const state::ObjectPtr& pod : pods)
      live.emplace(pod->Labels()[kRevisionHashLabel].AsString());
    return revisions_.Forget(set_["spec"]["revisionHistoryLimit"].AsInt(10), live);
  }

  base::Status WriteStatus() {
    int64_t current = 0, misscheduled = 0, ready = 0, available = 0, updated = 0;
    for (const NodeState& node : nodes_) {
      if (node.pods.empty()) continue;
      if (!node.numbers.should_run) {
        ++misscheduled;
        continue;
      }
      ++current;
      ready += IsReady(*node.pods.front());
      available += node.numbers.pods.front().available;
      updated += node.numbers.pods.front().updated;
    }
    const int64_t desired = Desired();
    status_.Set("observedGeneration", set_.Generation());
    status_.Set("desiredNumberScheduled", desired);
    status_.Set("currentNumberScheduled", current);
    status_.Set("numberMisscheduled", misscheduled);
    status_.Set("numberReady", ready);
    status_.Set("numberAvailable", available);
    status_.Set("numberUnavailable", desired - available);
    status_.Set("updatedNumberScheduled", updated);
    return turn_.draft().UpdateStatus(set_.key, std::move(status_)).status();
  }

  Turn& turn_;
  const state::Object& set_;
  Revisions revisions_;
  const FitFunction& fit_;
  base::Json status_;
  std::vector<NodeState> nodes_;
};

class DaemonSetController final : public Controller {
 public:
  explicit DaemonSetController(FitFunction fit) : fit_(std::move(fit)) {}
  std::string_view name() const override { return "daemonset"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == kDaemonSets) return enqueue(key);
    if (key.resource == "nodes") return NodeAffects(change, view, enqueue);
    if (key.resource == "pods" && !Matters(change)) return;
    EnqueueClaimants(kPodKinds, change, view, enqueue);
    EnqueueClaimants(kRevisionKinds, change, view, enqueue);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr set = turn.view().Get(key);
    if (set == nullptr) return base::Status();
    ASSIGN_OR_RETURN(Objects pods, Claim(turn, *set, "pods"));
    ASSIGN_OR_RETURN(Revisions revisions, Revisions::Claim(turn, *set));
    return DaemonSetTurn(turn, *set, std::move(revisions), fit_).Run(std::move(pods));
  }

 private:
  // A node that comes or goes concerns all sets; another change those that it suits differently.
  void NodeAffects(const state::Change& change, const state::View& view,
                   const Enqueue& enqueue) const {
    const bool comes_or_goes = change.created() || change.removed ||
                               change.object->Deleting() != change.previous->Deleting();
    if (!comes_or_goes && change.object->Labels() == change.previous->Labels() &&
        (*change.object)["spec"] == (*change.previous)["spec"])
      return;
    for (const state::ObjectPtr& set : view.List(kDaemonSets)) {
      const base::Value spec = (*set)["spec"]["template"]["spec"];
      if (comes_or_goes || fit_(spec, *change.object) != fit_(spec, *change.previous))
        enqueue(set->key);
    }
  }

  // Most changes of a pod are about what no DaemonSet looks at.
  static bool Matters(const state::Change& change) {
    if (change.created() || change.removed) return true;
    const state::Object &before = *change.previous, &after = *change.object;
    return before.Deleting() != after.Deleting() || HasEnded(before) != HasEnded(after) ||
           IsReady(before) != IsReady(after) || before.Labels() != after.Labels() ||
           before.Meta("ownerReferences") != after.Meta("ownerReferences") ||
           before["spec"]["nodeName"] != after["spec"]["nodeName"];
  }

  const FitFunction fit_;
};

}  // namespace

std::unique_ptr<Controller> NewDaemonSetController(const ControllerSettings& settings) {
  return std::make_unique<DaemonSetController>(settings.daemon_fit);
}

}  // namespace reconciler
