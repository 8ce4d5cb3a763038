// Deployment: from the pods of one template to those of the next, without losing service.
//
// Each template has a ReplicaSet, named after the template's hash. The one whose template equals
// the Deployment's is the new set, the others are old. A turn takes one step, in this order:
//   paused, or spec.replicas changed   keep the sets' proportions; no rollout
//   Recreate                           old sets to 0; when their pods have ended, the new set
//   RollingUpdate                      the new set up as far as maxSurge allows; else old sets down
//                                      as far as maxUnavailable allows, unhealthy pods first
// then writes the status; the change of the ReplicaSets that follows calls for the next step. A
// template that comes back (kubectl rollout undo) finds its old set, which takes the next revision.
// When all is done, old sets beyond revisionHistoryLimit go. How many pods is arithmetic in
// deployment_rollout.cc, what the status says stands in deployment_status.cc.
#include <algorithm>
#include <tuple>
#include <vector>

#include "manifests/selector.h"
#include "reconciler/controllers/all.h"
#include "reconciler/controllers/deployment_rollout.h"
#include "reconciler/controllers/deployment_status.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr std::string_view kDeployments = "deployments.apps";
constexpr std::string_view kReplicaSets = "replicasets.apps";
constexpr base::Duration kRetryCreate = base::Duration::Seconds(5);
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

using Sets = std::vector<state::ObjectPtr>;

int64_t Replicas(const state::Object& set) { return set["spec"]["replicas"].AsInt(1); }

// Annotations that a Deployment does not hand down to its ReplicaSets.
bool IsOwnAnnotation(std::string_view name) {
  for (const std::string_view own : {kLastApplied, kRevisionAnnotation, kRevisionHistoryAnnotation,
                                     kDesiredAnnotation, kMaxAnnotation}) {
    if (name == own) return true;
  }
  return false;
}

void SetIfDifferent(base::Json& object, std::string_view key, base::Json value) {
  if (std::as_const(object)[key] != value) object.Set(key, std::move(value));
}

// One turn for one Deployment.
class Pass {
 public:
  Pass(Turn& turn, state::ObjectPtr deployment)
      : turn_(turn),
        deployment_(std::move(deployment)),
        limits_(LimitsOf((*deployment_)["spec"])),
        template_(PlainTemplate((*deployment_)["spec"]["template"])),
        status_((*deployment_)["status"].ToJson()) {}

  base::Status Run() {
    ASSIGN_OR_RETURN(const auto selector,
                     manifests::LabelSelector::FromObject((*deployment_)["spec"]["selector"]));
    const bool paused = (*deployment_)["spec"]["paused"].AsBool();
    RETURN_IF_ERROR(ClaimSets(selector));
    if (deployment_->Deleting()) return WriteStatus(false);
    NotePause();
    if (paused || WasRescaled()) {
      RETURN_IF_ERROR(SyncNewSet(false));
      RETURN_IF_ERROR(Rescale());
      if (paused) RETURN_IF_ERROR(ForgetOldSets());
      return WriteStatus(false);
    }
    RETURN_IF_ERROR(limits_.rolling ? RollingStep() : RecreateStep());
    return WriteStatus(true);
  }

 private:
  // Fills old_ and new_ from the sets that are the Deployment's, after adopting and releasing.
  base::Status ClaimSets(const manifests::LabelSelector& selector) {
    Sets owned, released, adopted;
    for (const state::ObjectPtr& set : turn_.view().List(kReplicaSets, deployment_->key.ns)) {
      const bool matches = selector.Matches(set->Labels());
      if (set->IsControlledBy(deployment_->Uid())) {
        (matches || set->Deleting() ? owned : released).push_back(set);
      } else if (!set->ControllerRef().Exists() && matches && !set->Deleting()) {
        adopted.push_back(set);
      }
    }
    if (!deployment_->Deleting()) {
      for (state::ObjectPtr& set : released) {
        base::Json object = set->document.ToJson();
        std::erase_if(
            object["metadata"]["ownerReferences"].MutableElements(),
            [&](const base::Json& owner) { return owner["uid"].AsString() == deployment_->Uid(); });
        RETURN_IF_ERROR(Update(set, std::move(object)));
      }
      for (state::ObjectPtr& set : adopted) {
        base::Json object = set->document.ToJson();
        object["metadata"]["ownerReferences"].Append(ControllerReference(*deployment_));
        RETURN_IF_ERROR(Update(set, std::move(object)));
        owned.push_back(set);
      }
    }
    // Oldest first: of several sets with the template, the oldest is the new set.
    std::sort(owned.begin(), owned.end(), [](const auto& a, const auto& b) {
      const auto age = [](const state::Object& set) {
        return std::tuple(set.Meta("creationTimestamp").AsString(),
                          AnnotationNumber(set, kRevisionAnnotation), set.key.name);
      };
      return age(*a) < age(*b);
    });
    for (state::ObjectPtr& set : owned) {
      const bool is_new = new_ == nullptr && PlainTemplate((*set)["spec"]["template"]) == template_;
      if (is_new) {
        new_ = set;
      } else {
        old_.push_back(set);
      }
    }
    return base::Status();
  }

  base::Status Update(state::ObjectPtr& object, base::Json changed) {
    ASSIGN_OR_RETURN(object, turn_.draft().Update(std::move(changed)));
    return base::Status();
  }

  Sets All() const {
    Sets all = old_;
    if (new_) all.push_back(new_);
    return all;
  }

  // While it is paused no progress is due: the deadline counts from when it goes on.
  void NotePause() {
    if (!ProgressDeadline(*deployment_)) return;
    const base::Value progressing = ConditionOf((*deployment_)["status"], "Progressing");
    const std::string_view reason = progressing["reason"].AsString();
    if (reason == "ProgressDeadlineExceeded") return;
    const bool paused = (*deployment_)["spec"]["paused"].AsBool();
    if (paused && reason != "DeploymentPaused") {
      SetProgressing("Unknown", "DeploymentPaused", "Deployment is paused");
    } else if (!paused && reason == "DeploymentPaused") {
      SetProgressing("Unknown", "DeploymentResumed", "Deployment is resumed");
    }
  }

  void SetProgressing(std::string_view value, std::string_view reason, std::string_view message) {
    SetDeploymentCondition(status_, "Progressing", value, reason, message, turn_.now().wall);
  }

  // spec.replicas is not what the sets were sized for.
  bool WasRescaled() const {
    for (const state::ObjectPtr& set : All()) {
      if (Replicas(*set) == 0 || !set->Meta("annotations")[kDesiredAnnotation].Exists()) continue;
      if (AnnotationNumber(*set, kDesiredAnnotation) != limits_.replicas) return true;
    }
    return false;
  }

  // Revisions, annotations and, if `create`, the new set itself.
  base::Status SyncNewSet(bool create) {
    int64_t newest = 0;
    for (const state::ObjectPtr& set : old_)
      newest = std::max(newest, AnnotationNumber(*set, kRevisionAnnotation));
    if (new_ == nullptr) return create ? CreateNewSet(newest + 1) : base::Status();

    base::Json object = new_->document.ToJson();
    HandDownAnnotations(object, newest + 1);
    const base::Value min_ready = (*deployment_)["spec"]["minReadySeconds"];
    if ((*new_)["spec"]["minReadySeconds"].AsInt() != min_ready.AsInt())
      object["spec"].Set("minReadySeconds", min_ready.AsInt());
    RETURN_IF_ERROR(Update(new_, std::move(object)));
    const bool returned = RevisionOf(*deployment_) != RevisionOf(*new_);
    const bool unknown = !ConditionOf((*deployment_)["status"], "Progressing").Exists();
    if ((returned || unknown) && ProgressDeadline(*deployment_) &&
        !(*deployment_)["spec"]["paused"].AsBool()) {
      SetProgressing("True", "FoundNewReplicaSet",
                     "Found new replica set \"" + new_->key.name + "\"");
    }
    return TakeRevision();
  }

  static std::string_view RevisionOf(const state::Object& object) {
    return object.Meta("annotations")[kRevisionAnnotation].AsString();
  }

  // The Deployment's revision is its new set's.
  base::Status TakeRevision() {
    if (RevisionOf(*deployment_) == RevisionOf(*new_)) return base::Status();
    base::Json object = deployment_->document.ToJson();
    object["metadata"]["annotations"].Set(kRevisionAnnotation, RevisionOf(*new_));
    return Update(deployment_, std::move(object));
  }

  // Onto the new set, with a revision of at least `revision`; one that it had goes to its history.
  void HandDownAnnotations(base::Json& set, int64_t revision) const {
    base::Json& annotations = set["metadata"]["annotations"];
    for (const auto& [name, value] : deployment_->Meta("annotations").Members()) {
      if (!IsOwnAnnotation(name)) SetIfDifferent(annotations, name, value.ToJson());
    }
    const std::string had(std::as_const(annotations)[kRevisionAnnotation].AsString());
    if (!had.empty() && AnnotationNumber(*new_, kRevisionAnnotation) >= revision) return;
    annotations.Set(kRevisionAnnotation, std::to_string(revision));
    if (had.empty()) return;
    std::string history(std::as_const(annotations)[kRevisionHistoryAnnotation].AsString());
    history += (history.empty() ? "" : ",") + had;
    annotations.Set(kRevisionHistoryAnnotation, history);
  }

  void SizeAnnotations(base::Json& set) const {
    base::Json& annotations = set["metadata"]["annotations"];
    annotations.Set(kDesiredAnnotation, std::to_string(limits_.replicas));
    annotations.Set(kMaxAnnotation, std::to_string(limits_.most()));
  }

  // A name that another template's set has already is a collision: counted, so that the next name
  // is the same in every later turn.
  std::string FreeHash() {
    for (int64_t collisions = std::as_const(status_)["collisionCount"].AsInt();; ++collisions) {
      std::string hash = TemplateHash(template_, collisions);
      const std::string name = deployment_->key.name + "-" + hash;
      if (turn_.view().Get(kReplicaSets, deployment_->key.ns, name) != nullptr) continue;
      if (collisions > 0) status_.Set("collisionCount", collisions);
      return hash;
    }
  }

  base::Status CreateNewSet(int64_t revision) {
    const std::string hash = FreeHash();
    const std::string name = deployment_->key.name + "-" + hash;
    const int64_t size = NewSetSize(limits_, 0, TotalReplicas());
    const base::Value spec = (*deployment_)["spec"];

    base::Json pod_template = spec["template"].ToJson();
    pod_template["metadata"]["labels"].Set(kTemplateHashLabel, hash);
    base::Json selector = spec["selector"].ToJson();
    selector["matchLabels"].Set(kTemplateHashLabel, hash);
    base::Json set = base::Json::MakeObject(
        {{"apiVersion", "apps/v1"},
         {"kind", "ReplicaSet"},
         {"metadata",
          base::Json::MakeObject(
              {{"name", name},
               {"namespace", deployment_->key.ns},
               {"labels", pod_template["metadata"]["labels"]},
               {"ownerReferences", base::Json::MakeArray({ControllerReference(*deployment_)})}})},
         {"spec", base::Json::MakeObject({{"replicas", size},
                                          {"selector", std::move(selector)},
                                          {"template", std::move(pod_template)}})}});
    if (spec["minReadySeconds"].AsInt() > 0)
      set["spec"].Set("minReadySeconds", spec["minReadySeconds"].AsInt());
    HandDownAnnotations(set, revision);
    SizeAnnotations(set);

    base::Result<state::ObjectPtr> created = turn_.draft().Create(std::move(set));
    if (!created.ok()) return ReportFailure(name, created.status());
    new_ = *std::move(created);
    if (size > 0) AnnounceSize(name, 0, size);
    if (ProgressDeadline(*deployment_)) {
      SetProgressing("True", "NewReplicaSetCreated", "Created new replica set \"" + name + "\"");
    }
    return TakeRevision();
  }

  base::Status ReportFailure(const std::string& name, const base::Status& failure) {
    const std::string message =
        "Failed to create new replica set \"" + name + "\": " + std::string(failure.message());
    turn_.Event(*deployment_, EventType::kWarning, "ReplicaSetCreateError", message);
    if (ProgressDeadline(*deployment_)) SetProgressing("False", "ReplicaSetCreateError", message);
    turn_.Again(kRetryCreate);
    return base::Status();
  }

  void AnnounceSize(const std::string& set, int64_t from, int64_t to) {
    turn_.Event(*deployment_, EventType::kNormal, "ScalingReplicaSet",
                std::string(to > from ? "Scaled up" : "Scaled down") + " replica set " + set +
                    " from " + std::to_string(from) + " to " + std::to_string(to));
  }

  // Sizes a set; it then knows what it was sized for.
  base::Status Resize(state::ObjectPtr& set, int64_t size) {
    const int64_t before = Replicas(*set);
    base::Json object = set->document.ToJson();
    object["spec"].Set("replicas", size);
    SizeAnnotations(object);
    RETURN_IF_ERROR(Update(set, std::move(object)));
    if (size != before) AnnounceSize(set->key.name, before, size);
    return base::Status();
  }

  int64_t TotalReplicas() const {
    int64_t total = 0;
    for (const state::ObjectPtr& set : All()) total += Replicas(*set);
    return total;
  }

  SetSize SizeOf(const state::ObjectPtr& set, int64_t age_rank) const {
    if (set == nullptr) return SetSize();
    return SetSize{Replicas(*set), AvailableOf(*set), AnnotationNumber(*set, kMaxAnnotation),
                   age_rank};
  }

  // After a change of spec.replicas.
  base::Status Rescale() {
    std::vector<state::ObjectPtr*> active;  // oldest first
    for (state::ObjectPtr& set : old_) {
      if (Replicas(*set) > 0) active.push_back(&set);
    }
    if (new_ && Replicas(*new_) > 0) active.push_back(&new_);
    if (active.empty() && new_) active.push_back(&new_);
    if (active.empty() && !old_.empty()) active.push_back(&old_.back());
    if (active.size() == 1) return Resize(*active.front(), limits_.replicas);
    if (active.empty()) return base::Status();

    const bool saturated = new_ && Replicas(*new_) == limits_.replicas &&
                           AnnotationNumber(*new_, kDesiredAnnotation) == limits_.replicas &&
                           AvailableOf(*new_) == limits_.replicas;
    if (saturated) {
      for (state::ObjectPtr* set : active) {
        if (*set != new_) RETURN_IF_ERROR(Resize(*set, 0));
      }
      return base::Status();
    }
    if (!limits_.rolling) return RescaleRecreate(active);
    std::vector<SetSize> sizes;
    for (size_t i = 0; i < active.size(); ++i)
      sizes.push_back(SizeOf(*active[i], static_cast<int64_t>(i)));
    const std::vector<int64_t> wanted =
        ProportionalSizes(limits_, std::as_const(status_)["replicas"].AsInt(), sizes);
    for (size_t i = 0; i < active.size(); ++i) RETURN_IF_ERROR(Resize(*active[i], wanted[i]));
    return base::Status();
  }

  // Two sets with pods are left from an adoption or an earlier strategy. Only what they were sized
  // for is noted, so that the rollout goes on.
  base::Status RescaleRecreate(const std::vector<state::ObjectPtr*>& active) {
    for (state::ObjectPtr* set : active) RETURN_IF_ERROR(Resize(*set, Replicas(**set)));
    return base::Status();
  }

  base::Status RollingStep() {
    RETURN_IF_ERROR(SyncNewSet(true));
    if (new_ == nullptr) return base::Status();  // it could not be created
    const int64_t size = NewSetSize(limits_, Replicas(*new_), TotalReplicas());
    if (size != Replicas(*new_)) return Resize(new_, size);

    std::vector<SetSize> old_sizes;
    for (size_t i = 0; i < old_.size(); ++i)
      old_sizes.push_back(SizeOf(old_[i], static_cast<int64_t>(i)));
    const std::vector<int64_t> wanted = OldSetSizes(limits_, SizeOf(new_, 0), old_sizes);
    bool resized = false;
    for (size_t i = 0; i < old_.size(); ++i) {
      if (wanted[i] == Replicas(*old_[i])) continue;
      RETURN_IF_ERROR(Resize(old_[i], wanted[i]));
      resized = true;
    }
    return resized ? base::Status() : ForgetIfComplete();
  }

  base::Status RecreateStep() {
    RETURN_IF_ERROR(SyncNewSet(false));
    bool resized = false;
    for (state::ObjectPtr& set : old_) {
      if (Replicas(*set) == 0) continue;
      RETURN_IF_ERROR(Resize(set, 0));
      resized = true;
    }
    if (resized || OldPodsRun()) return base::Status();
    if (new_ == nullptr) RETURN_IF_ERROR(SyncNewSet(true));
    if (new_ == nullptr) return base::Status();
    if (Replicas(*new_) != limits_.replicas) return Resize(new_, limits_.replicas);
    return ForgetIfComplete();
  }

  bool OldPodsRun() const {
    for (const state::ObjectPtr& set : old_) {
      if ((*set)["status"]["replicas"].AsInt() > 0) return true;
      for (const state::ObjectPtr& pod : turn_.view().Lookup(state::Index::kOwner, set->Uid())) {
        const std::string_view phase = (*pod)["status"]["phase"].AsString();
        if (pod->key.resource == "pods" && phase != "Succeeded" && phase != "Failed") return true;
      }
    }
    return false;
  }

  base::Status ForgetIfComplete() {
    base::Json status;
    CountReplicas(status, *deployment_, new_, All());
    return IsComplete(status, limits_) ? ForgetOldSets() : base::Status();
  }

  // Deletes empty old sets, lowest revisions first, down to revisionHistoryLimit.
  base::Status ForgetOldSets() {
    const int64_t limit = (*deployment_)["spec"]["revisionHistoryLimit"].AsInt(10);
    Sets alive;
    for (const state::ObjectPtr& set : old_) {
      if (!set->Deleting()) alive.push_back(set);
    }
    std::stable_sort(alive.begin(), alive.end(), [](const auto& a, const auto& b) {
      return AnnotationNumber(*a, kRevisionAnnotation) < AnnotationNumber(*b, kRevisionAnnotation);
    });
    const int64_t excess = static_cast<int64_t>(alive.size()) - limit;
    for (int64_t i = 0; i < excess; ++i) {
      const state::ObjectPtr& set = alive[static_cast<size_t>(i)];
      const bool settled = (*set)["status"]["observedGeneration"].AsInt() >= set->Generation();
      if (Replicas(*set) != 0 || (*set)["status"]["replicas"].AsInt() != 0 || !settled) continue;
      RETURN_IF_ERROR(turn_.draft().Delete(set->key, state::DeleteOptions()).status());
      std::erase(old_, set);
    }
    return base::Status();
  }

  base::Status WriteStatus(bool judge_progress) {
    const Sets all = All();
    const base::WallTime now = turn_.now().wall;
    CountReplicas(status_, *deployment_, new_, all);
    JudgeAvailability(status_, limits_, new_, all, now);
    if (judge_progress) {
      const auto wait =
          JudgeProgress(status_, (*deployment_)["status"], *deployment_, limits_, new_, now);
      if (wait) turn_.Again(*wait);
    }
    return turn_.draft().UpdateStatus(deployment_->key, std::move(status_)).status();
  }

  Turn& turn_;
  state::ObjectPtr deployment_;
  const RolloutLimits limits_;
  const base::Json template_;
  base::Json status_;
  state::ObjectPtr new_;  // null: there is none yet
  Sets old_;              // oldest first
};

class DeploymentController final : public Controller {
 public:
  std::string_view name() const override { return "deployment"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == kDeployments) return enqueue(key);
    if (key.resource == kReplicaSets) return SetAffects(change, view, enqueue);
    // Recreate waits for the last old pod, which its set does not count once it is ending.
    if (key.resource != "pods") return;
    const base::Value owner = change.object->ControllerRef();
    if (IsActive(*change.object) || owner["kind"].AsString() != "ReplicaSet") return;
    const state::ObjectPtr set = view.Get(kReplicaSets, key.ns, owner["name"].AsString());
    if (set != nullptr) EnqueueOwner(*set, enqueue);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    state::ObjectPtr deployment = turn.view().Get(key);
    if (deployment == nullptr) return base::Status();
    return Pass(turn, std::move(deployment)).Run();
  }

 private:
  static void EnqueueOwner(const state::Object& set, const Enqueue& enqueue) {
    const base::Value owner = set.ControllerRef();
    if (owner["kind"].AsString() == "Deployment") {
      enqueue(
          state::Key{std::string(kDeployments), set.key.ns, std::string(owner["name"].AsString())});
    }
  }

  static void SetAffects(const state::Change& change, const state::View& view,
                         const Enqueue& enqueue) {
    for (const state::ObjectPtr& set : {change.object, change.previous}) {
      if (set != nullptr) EnqueueOwner(*set, enqueue);
    }
    // An orphan may find a new owner.
    if (change.removed || change.object->ControllerRef().Exists()) return;
    for (const state::ObjectPtr& deployment : view.List(kDeployments, change.key().ns)) {
      const auto selector = manifests::LabelSelector::FromObject((*deployment)["spec"]["selector"]);
      if (selector.ok() && selector->Matches(change.object->Labels())) enqueue(deployment->key);
    }
  }
};

}  // namespace

std::unique_ptr<Controller> NewDeploymentController(const ControllerSettings&) {
  return std::make_unique<DeploymentController>();
}

}  // namespace reconciler
