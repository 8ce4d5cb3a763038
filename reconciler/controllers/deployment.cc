// Deployment: from the pods of one template to those of the next, without losing service.
//
// Each template has a ReplicaSet (replica_sets.h). A turn takes one step:
//   paused, or spec.replicas changed   keep the sets' proportions; no rollout
//   else                               the sizes that the strategy says (rollout/)
// then writes the status; the change of the ReplicaSets that follows calls for the next step. When
// all is done, old sets beyond revisionHistoryLimit go. What the status says stands in
// deployment_status.cc.
#include <string>
#include <vector>

#include "reconciler/controllers/all.h"
#include "reconciler/controllers/deployment_status.h"
#include "reconciler/owned_pods.h"
#include "reconciler/pods.h"
#include "reconciler/replica_sets.h"

namespace reconciler {
namespace {

constexpr ClaimKinds kKinds = {"deployments.apps", "Deployment", kReplicaSets};

// One turn for one Deployment.
class DeploymentTurn {
 public:
  DeploymentTurn(Turn& turn, ReplicaSets sets)
      : turn_(turn),
        sets_(std::move(sets)),
        before_(sets_.owner()["status"].ToJson()),
        strategy_(StrategyOf(spec())),
        limits_(strategy_.limits(spec())),
        paused_(spec()["paused"].AsBool()),
        status_(before_) {}

  base::Status Run() {
    if (sets_.owner().Deleting()) return WriteStatus(false);
    NotePause();
    if (paused_ || sets_.WereSizedForOther(limits_.replicas)) {
      RETURN_IF_ERROR(SyncNewSet());
      RETURN_IF_ERROR(Rescale());
      if (paused_) RETURN_IF_ERROR(ForgetOldSets());
      return WriteStatus(false);
    }
    RETURN_IF_ERROR(Step());
    return WriteStatus(true);
  }

 private:
  base::Value spec() const { return sets_.owner()["spec"]; }

  // While it is paused no progress is due: the deadline counts from when it goes on.
  void NotePause() {
    const std::string reason(
        ConditionOf(sets_.owner()["status"], "Progressing")["reason"].AsString());
    if (reason == "ProgressDeadlineExceeded") return;
    if (paused_ && reason != "DeploymentPaused") {
      SetProgressing("Unknown", "DeploymentPaused", "Deployment is paused");
    } else if (!paused_ && reason == "DeploymentPaused") {
      SetProgressing("Unknown", "DeploymentResumed", "Deployment is resumed");
    }
  }

  // Where progress is judged at all.
  void SetProgressing(std::string_view value, std::string_view reason, std::string_view message) {
    if (!ProgressDeadline(sets_.owner())) return;
    SetDeploymentCondition(status_, "Progressing", value, reason, message, turn_.now().wall);
  }

  base::Status SyncNewSet() {
    const bool unknown = !ConditionOf(sets_.owner()["status"], "Progressing").Exists();
    ASSIGN_OR_RETURN(const bool returned, sets_.SyncNewSet());
    if (sets_.new_set() != nullptr && (returned || unknown) && !paused_) {
      SetProgressing("True", "FoundNewReplicaSet",
                     "Found new replica set \"" + sets_.new_set()->key.name + "\"");
    }
    return base::Status();
  }

  // After a change of spec.replicas.
  base::Status Rescale() {
    const Objects active = sets_.Active();
    if (active.size() == 1) return sets_.Resize(active.front(), limits_.replicas, limits_);
    const bool new_set_is_full = sets_.NewSetIsFull(limits_.replicas);
    std::vector<SetSize> sizes;
    for (size_t i = 0; i < active.size(); ++i)
      sizes.push_back(ReplicaSets::SizeOf(*active[i], static_cast<int64_t>(i)));
    std::vector<int64_t> wanted = strategy_.rescale(limits_, before_["replicas"].AsInt(), sizes);
    for (size_t i = 0; i < active.size(); ++i) {
      if (new_set_is_full && active[i] == sets_.new_set()) continue;
      RETURN_IF_ERROR(sets_.Resize(active[i], new_set_is_full ? 0 : wanted[i], limits_));
    }
    return base::Status();
  }

  RolloutState State() const {
    RolloutState state;
    state.limits = limits_;
    if (sets_.new_set() != nullptr) state.new_set = ReplicaSets::SizeOf(*sets_.new_set(), 0);
    for (const state::ObjectPtr& set : sets_.old_sets()) {
      const int64_t rank = static_cast<int64_t>(state.old_sets.size());
      state.old_sets.push_back(ReplicaSets::SizeOf(*set, rank));
    }
    state.old_pods_run = sets_.OldPodsRun();
    state.now = turn_.now().wall;
    return state;
  }

  base::Status Step() {
    RETURN_IF_ERROR(SyncNewSet());
    NextSizes next = strategy_.next(State());
    if (next.new_set && sets_.new_set() == nullptr) {
      RETURN_IF_ERROR(CreateNewSet(*next.new_set));
      if (sets_.new_set() == nullptr) return base::Status();  // it could not be created
      next = strategy_.next(State());
    }
    ASSIGN_OR_RETURN(const bool resized, ResizeTo(next));
    return resized || !next.new_set ? base::Status() : ForgetIfComplete();
  }

  base::Status CreateNewSet(int64_t size) {
    int64_t collisions = before_["collisionCount"].AsInt();
    const std::string hash = sets_.FreeHash(collisions);
    if (collisions > 0) status_.Set("collisionCount", collisions);
    const std::string name = sets_.NameOf(hash);
    const base::Status created = sets_.Create(hash, size, limits_);
    if (created.ok()) {
      SetProgressing("True", "NewReplicaSetCreated", "Created new replica set \"" + name + "\"");
      return base::Status();
    }
    const std::string message =
        "Failed to create new replica set \"" + name + "\": " + std::string(created.message());
    turn_.Event(sets_.owner(), EventType::kWarning, "ReplicaSetCreateError", message);
    SetProgressing("False", "ReplicaSetCreateError", message);
    turn_.Again(kRetryCreate);
    return base::Status();
  }

  // Whether anything had another size.
  base::Result<bool> ResizeTo(const NextSizes& next) {
    bool resized = false;
    const auto resize = [&](const state::ObjectPtr& set, int64_t size) {
      if (size == ReplicaSets::ReplicasOf(*set)) return base::Status();
      resized = true;
      return sets_.Resize(set, size, limits_);
    };
    const Objects old_sets = sets_.old_sets();
    for (size_t i = 0; i < old_sets.size(); ++i)
      RETURN_IF_ERROR(resize(old_sets[i], next.old_sets[i]));
    if (next.new_set) RETURN_IF_ERROR(resize(sets_.new_set(), *next.new_set));
    return resized;
  }

  base::Status ForgetIfComplete() {
    base::Json status;
    CountReplicas(status, sets_.owner(), sets_.new_set(), sets_.All());
    return IsComplete(status, limits_) ? ForgetOldSets() : base::Status();
  }

  base::Status ForgetOldSets() { return sets_.Forget(spec()["revisionHistoryLimit"].AsInt(10)); }

  base::Status WriteStatus(bool judge_progress) {
    const Objects all = sets_.All();
    const base::WallTime now = turn_.now().wall;
    const state::Object& deployment = sets_.owner();
    CountReplicas(status_, deployment, sets_.new_set(), all);
    JudgeAvailability(status_, limits_, sets_.new_set(), all, now);
    if (judge_progress) {
      const auto wait =
          JudgeProgress(status_, deployment["status"], deployment, limits_, sets_.new_set(), now);
      if (wait) turn_.Again(*wait);
    }
    return turn_.draft().UpdateStatus(deployment.key, std::move(status_)).status();
  }

  Turn& turn_;
  ReplicaSets sets_;
  const base::Json before_;  // the status
  const Strategy& strategy_;
  const RolloutLimits limits_;
  const bool paused_;
  base::Json status_;
};

class DeploymentController final : public Controller {
 public:
  std::string_view name() const override { return "deployment"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == kKinds.owner_resource) return enqueue(key);
    EnqueueClaimants(kKinds, change, view, enqueue);
    // Recreate waits for the last old pod, which its set does not count once it is ending.
    if (key.resource != "pods" || IsActive(*change.object)) return;
    const base::Value set_ref = change.object->ControllerRef();
    if (set_ref["kind"].AsString() != "ReplicaSet") return;
    const state::ObjectPtr set = view.Get(kReplicaSets, key.ns, set_ref["name"].AsString());
    if (set == nullptr) return;
    const base::Value owner = set->ControllerRef();
    if (owner["kind"].AsString() != kKinds.owner_kind) return;
    enqueue({std::string(kKinds.owner_resource), key.ns, std::string(owner["name"].AsString())});
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    state::ObjectPtr deployment = turn.view().Get(key);
    if (deployment == nullptr) return base::Status();
    ASSIGN_OR_RETURN(ReplicaSets sets, ReplicaSets::Claim(turn, std::move(deployment)));
    return DeploymentTurn(turn, std::move(sets)).Run();
  }
};

}  // namespace

std::unique_ptr<Controller> NewDeploymentController(const ControllerSettings&) {
  return std::make_unique<DeploymentController>();
}

}  // namespace reconciler
