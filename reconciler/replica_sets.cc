// A set carries what later turns must know, as annotations: its revision, the revisions that it had
// before, and what it was sized for. The owner's other annotations are handed down to its new set.
#include "reconciler/replica_sets.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "manifests/apply/apply.h"
#include "manifests/canonical.h"
#include "reconciler/names.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr std::string_view kDesiredAnnotation = "deployment.kubernetes.io/desired-replicas";
constexpr std::string_view kMaxAnnotation = "deployment.kubernetes.io/max-replicas";

// Annotations that an owner does not hand down.
bool IsOwnAnnotation(std::string_view name) {
  for (const std::string_view own :
       {manifests::kLastAppliedAnnotation, kRevisionAnnotation, kRevisionHistoryAnnotation,
        kDesiredAnnotation, kMaxAnnotation}) {
    if (name == own) return true;
  }
  return false;
}

std::string_view RevisionOf(const state::Object& object) {
  return object.Meta("annotations")[kRevisionAnnotation].AsString();
}

// 0: none.
int64_t AnnotationNumber(const state::Object& object, std::string_view annotation) {
  const std::string_view text = object.Meta("annotations")[annotation].AsString();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The template without what its set adds to it.
base::Json PlainTemplate(base::Value pod_template) {
  base::Json plain = pod_template.ToJson();
  if (base::Json* metadata = plain.Find("metadata")) {
    metadata->Remove("creationTimestamp");
    if (base::Json* labels = metadata->Find("labels")) labels->Remove(kTemplateHashLabel);
  }
  return plain;
}

// Equal pods come of both: an earlier plumb has stored templates as they were written.
bool MakeTheSame(const manifests::Schema& schema, const base::Json& a, const base::Json& b) {
  const manifests::Message* message = schema.FindMessage("core/v1", "PodTemplateSpec");
  CHECK(message != nullptr);
  return manifests::SameMeaning(*message, a, b);
}

// The status may still count pods that the spec no longer asks for: they are as good as gone. This
// is the one place where a rollout learns what is available: it never takes away more than this
// leaves room for.
int64_t AvailableOf(const state::Object& set) {
  return std::min(set["status"]["availableReplicas"].AsInt(), ReplicaSets::ReplicasOf(set));
}

// Oldest first: of several sets with one template, the oldest is its set.
bool IsOlderSet(const state::ObjectPtr& a, const state::ObjectPtr& b) {
  const auto age = [](const state::Object& set) {
    return std::tuple(set.Meta("creationTimestamp").AsString(),
                      AnnotationNumber(set, kRevisionAnnotation), std::string_view(set.key.name));
  };
  return age(*a) < age(*b);
}

void NoteSize(base::Json& set, const RolloutLimits& limits) {
  base::Json& annotations = set["metadata"]["annotations"];
  annotations.Set(kDesiredAnnotation, std::to_string(limits.replicas));
  annotations.Set(kMaxAnnotation, std::to_string(limits.most()));
}

}  // namespace

ReplicaSets::ReplicaSets(Turn& turn, state::ObjectPtr owner)
    : turn_(turn),
      owner_(std::move(owner)),
      template_(PlainTemplate((*owner_)["spec"]["template"])) {}

base::Result<ReplicaSets> ReplicaSets::Claim(Turn& turn, state::ObjectPtr owner) {
  ASSIGN_OR_RETURN(Objects owned, reconciler::Claim(turn, *owner, kReplicaSets));
  std::sort(owned.begin(), owned.end(), IsOlderSet);
  ReplicaSets sets(turn, std::move(owner));
  for (state::ObjectPtr& set : owned) {
    const bool is_new =
        sets.new_ == nullptr && MakeTheSame(*turn.view().schema(), sets.template_,
                                            PlainTemplate((*set)["spec"]["template"]));
    if (is_new) {
      sets.new_ = std::move(set);
    } else {
      sets.old_.push_back(std::move(set));
    }
  }
  return sets;
}

Objects ReplicaSets::All() const {
  Objects all = old_;
  if (new_) all.push_back(new_);
  return all;
}

Objects ReplicaSets::Active() const {
  Objects active = All();
  std::erase_if(active, [](const state::ObjectPtr& set) { return ReplicasOf(*set) == 0; });
  if (!active.empty()) return active;
  if (new_) return {new_};
  return old_.empty() ? Objects() : Objects{old_.back()};
}

bool ReplicaSets::OldPodsRun() const {
  for (const state::ObjectPtr& set : old_) {
    if ((*set)["status"]["replicas"].AsInt() > 0) return true;
    for (const state::ObjectPtr& pod : turn_.view().Lookup(state::Index::kOwner, set->Uid())) {
      if (pod->key.resource == "pods" && !HasEnded(*pod)) return true;
    }
  }
  return false;
}

bool ReplicaSets::WereSizedForOther(int64_t replicas) const {
  for (const state::ObjectPtr& set : All()) {
    if (ReplicasOf(*set) == 0 || !set->Meta("annotations")[kDesiredAnnotation].Exists()) continue;
    if (AnnotationNumber(*set, kDesiredAnnotation) != replicas) return true;
  }
  return false;
}

bool ReplicaSets::NewSetIsFull(int64_t replicas) const {
  return new_ && ReplicasOf(*new_) == replicas &&
         AnnotationNumber(*new_, kDesiredAnnotation) == replicas && AvailableOf(*new_) == replicas;
}

int64_t ReplicaSets::ReplicasOf(const state::Object& set) {
  return set["spec"]["replicas"].AsInt(1);
}

SetSize ReplicaSets::SizeOf(const state::Object& set, int64_t age_rank) {
  return {ReplicasOf(set), AvailableOf(set), AnnotationNumber(set, kMaxAnnotation), age_rank};
}

base::Result<state::ObjectPtr> ReplicaSets::Update(base::Json changed) {
  return turn_.draft().Update(std::move(changed));
}

base::Result<bool> ReplicaSets::SyncNewSet() {
  if (new_ == nullptr) return false;
  base::Json changed = new_->document.ToJson();
  HandDown(changed, NextRevision());
  const int64_t min_ready = (*owner_)["spec"]["minReadySeconds"].AsInt();
  if ((*new_)["spec"]["minReadySeconds"].AsInt() != min_ready)
    changed["spec"].Set("minReadySeconds", min_ready);
  ASSIGN_OR_RETURN(new_, Update(std::move(changed)));
  const bool returned = RevisionOf(*owner_) != RevisionOf(*new_);
  RETURN_IF_ERROR(TakeRevision());
  return returned;
}

int64_t ReplicaSets::NextRevision() const {
  int64_t newest = 0;
  for (const state::ObjectPtr& set : old_)
    newest = std::max(newest, AnnotationNumber(*set, kRevisionAnnotation));
  return newest + 1;
}

base::Status ReplicaSets::TakeRevision() {
  if (RevisionOf(*owner_) == RevisionOf(*new_)) return base::Status();
  base::Json changed = owner_->document.ToJson();
  changed["metadata"]["annotations"].Set(kRevisionAnnotation, RevisionOf(*new_));
  ASSIGN_OR_RETURN(owner_, Update(std::move(changed)));
  return base::Status();
}

// Onto `set`, with a revision of at least `revision`; one that it had goes to its history.
void ReplicaSets::HandDown(base::Json& set, int64_t revision) const {
  base::Json& annotations = set["metadata"]["annotations"];
  for (const auto& [name, value] : owner_->Meta("annotations").Members()) {
    if (!IsOwnAnnotation(name) && std::as_const(annotations)[name] != value.ToJson())
      annotations.Set(name, value.ToJson());
  }
  const std::string had(std::as_const(annotations)[kRevisionAnnotation].AsString());
  if (!had.empty() && AnnotationNumber(*new_, kRevisionAnnotation) >= revision) return;
  annotations.Set(kRevisionAnnotation, std::to_string(revision));
  if (had.empty()) return;
  std::string history(std::as_const(annotations)[kRevisionHistoryAnnotation].AsString());
  history += (history.empty() ? "" : ",") + had;
  annotations.Set(kRevisionHistoryAnnotation, history);
}

std::string ReplicaSets::FreeHash(int64_t& collisions) const {
  for (;; ++collisions) {
    std::string content = template_.ToString();
    if (collisions > 0) content += '\n' + std::to_string(collisions);
    std::string hash = NameHash(content, kMaxNameHash);
    if (turn_.view().Get(kReplicaSets, owner_->key.ns, NameOf(hash)) == nullptr) return hash;
  }
}

std::string ReplicaSets::NameOf(const std::string& hash) const {
  return owner_->key.name + "-" + hash;
}

base::Json ReplicaSets::NewSet(const std::string& hash, int64_t size) const {
  const base::Value spec = (*owner_)["spec"];
  base::Json pod_template = spec["template"].ToJson();
  pod_template["metadata"]["labels"].Set(kTemplateHashLabel, hash);
  base::Json selector = spec["selector"].ToJson();
  selector["matchLabels"].Set(kTemplateHashLabel, hash);
  base::Json metadata = base::Json::MakeObject(
      {{"name", NameOf(hash)},
       {"namespace", owner_->key.ns},
       {"labels", pod_template["metadata"]["labels"]},
       {"ownerReferences", base::Json::MakeArray({ControllerReference(*owner_)})}});
  base::Json set =
      base::Json::MakeObject({{"apiVersion", "apps/v1"},
                              {"kind", "ReplicaSet"},
                              {"metadata", std::move(metadata)},
                              {"spec", base::Json::MakeObject({{"replicas", size},
                                                               {"selector", std::move(selector)},
                                                               {"template", pod_template}})}});
  if (spec["minReadySeconds"].AsInt() > 0)
    set["spec"].Set("minReadySeconds", spec["minReadySeconds"].AsInt());
  return set;
}

base::Status ReplicaSets::Create(const std::string& hash, int64_t size,
                                 const RolloutLimits& limits) {
  base::Json set = NewSet(hash, size);
  HandDown(set, NextRevision());
  NoteSize(set, limits);
  ASSIGN_OR_RETURN(new_, turn_.draft().Create(std::move(set)));
  if (size > 0) AnnounceSize(new_->key.name, 0, size);
  return TakeRevision();
}

base::Status ReplicaSets::Resize(const state::ObjectPtr& set, int64_t size,
                                 const RolloutLimits& limits) {
  const int64_t before = ReplicasOf(*set);
  base::Json changed = set->document.ToJson();
  changed["spec"].Set("replicas", size);
  NoteSize(changed, limits);
  const std::string name = set->key.name;
  state::ObjectPtr& slot = set == new_ ? new_ : *std::find(old_.begin(), old_.end(), set);
  ASSIGN_OR_RETURN(slot, Update(std::move(changed)));
  if (size != before) AnnounceSize(name, before, size);
  return base::Status();
}

void ReplicaSets::AnnounceSize(const std::string& set, int64_t from, int64_t to) {
  turn_.Event(*owner_, EventType::kNormal, "ScalingReplicaSet",
              std::string(to > from ? "Scaled up" : "Scaled down") + " replica set " + set +
                  " from " + std::to_string(from) + " to " + std::to_string(to));
}

base::Status ReplicaSets::Forget(int64_t limit) {
  Objects alive;
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
    if (ReplicasOf(*set) != 0 || (*set)["status"]["replicas"].AsInt() != 0 || !settled) continue;
    RETURN_IF_ERROR(turn_.draft().Delete(set->key, state::DeleteOptions()).status());
    std::erase(old_, set);
  }
  return base::Status();
}

}  // namespace reconciler
