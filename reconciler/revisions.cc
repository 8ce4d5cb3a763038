// A revision's data is a strategic merge patch that brings its template back, which is how clients
// use it. Two revisions are the same if their templates mean the same; of several with the newest
// template (a number may be taken twice by hand), the one with the highest number counts.
#include "reconciler/revisions.h"

#include <algorithm>
#include <tuple>

#include "manifests/apply/apply.h"
#include "manifests/canonical.h"
#include "reconciler/names.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

base::Json DataOf(base::Value pod_template) {
  base::Json replaced = pod_template.ToJson();
  replaced.Set("$patch", "replace");
  return base::Json::MakeObject(
      {{"spec", base::Json::MakeObject({{"template", std::move(replaced)}})}});
}

// An earlier plumb has stored templates as they were written.
bool SameData(const manifests::Schema& schema, const base::Json& a, const base::Json& b) {
  if (a == b) return true;
  const manifests::Message* message = schema.FindMessage("core/v1", "PodTemplateSpec");
  CHECK(message != nullptr);
  return manifests::SameMeaning(*message, a["spec"]["template"], b["spec"]["template"]);
}

int64_t NumberOf(const state::Object& revision) { return revision["revision"].AsInt(); }

bool IsLower(const state::ObjectPtr& a, const state::ObjectPtr& b) {
  return std::tuple(NumberOf(*a), std::string_view(a->key.name)) <
         std::tuple(NumberOf(*b), std::string_view(b->key.name));
}

}  // namespace

Revisions::Revisions(Turn& turn, const state::Object& owner)
    : turn_(turn), owner_(owner), data_(DataOf(owner["spec"]["template"])) {}

base::Result<Revisions> Revisions::Claim(Turn& turn, const state::Object& owner) {
  Revisions revisions(turn, owner);
  ASSIGN_OR_RETURN(revisions.others_, reconciler::Claim(turn, owner, kRevisions));
  Objects& all = revisions.others_;
  std::sort(all.begin(), all.end(), IsLower);
  const auto same = std::find_if(all.rbegin(), all.rend(), [&](const state::ObjectPtr& each) {
    return !each->Deleting() &&
           SameData(*turn.view().schema(), revisions.data_, (*each)["data"].ToJson());
  });
  if (same == all.rend()) return revisions;
  revisions.newest_ = *same;
  all.erase(std::next(same).base());
  return revisions;
}

base::Status Revisions::Sync(int64_t& collisions) {
  const int64_t highest = others_.empty() ? 0 : NumberOf(*others_.back());
  if (newest_ != nullptr) {
    if (NumberOf(*newest_) > highest) return base::Status();
    base::Json changed = newest_->document.ToJson();
    changed.Set("revision", highest + 1);
    ASSIGN_OR_RETURN(newest_, turn_.draft().Update(std::move(changed)));
    return base::Status();
  }
  for (;; ++collisions) {
    std::string content = data_.ToString();
    if (collisions > 0) content += '\n' + std::to_string(collisions);
    const std::string hash = NameHash(content, kMaxNameHash);
    if (turn_.view().Get(kRevisions, owner_.key.ns, owner_.key.name + "-" + hash) != nullptr)
      continue;
    ASSIGN_OR_RETURN(newest_, turn_.draft().Create(NewRevision(hash, highest + 1)));
    return base::Status();
  }
}

base::Json Revisions::NewRevision(const std::string& hash, int64_t number) const {
  base::Json labels = owner_["spec"]["template"]["metadata"]["labels"].ToJson();
  labels.Set(kRevisionHashLabel, hash);
  base::Json metadata = base::Json::MakeObject(
      {{"name", owner_.key.name + "-" + hash},
       {"namespace", owner_.key.ns},
       {"labels", std::move(labels)},
       {"ownerReferences", base::Json::MakeArray({ControllerReference(owner_)})}});
  for (const auto& [name, value] : owner_.Meta("annotations").Members()) {
    if (name != manifests::kLastAppliedAnnotation)
      metadata["annotations"].Set(name, value.ToJson());
  }
  return base::Json::MakeObject({{"apiVersion", "apps/v1"},
                                 {"kind", "ControllerRevision"},
                                 {"metadata", std::move(metadata)},
                                 {"data", data_},
                                 {"revision", number}});
}

std::string_view Revisions::hash() const {
  return newest_ ? newest_->Labels()[kRevisionHashLabel].AsString() : std::string_view();
}

base::Status Revisions::Forget(int64_t limit, const std::set<std::string, std::less<>>& live) {
  int64_t excess = static_cast<int64_t>(others_.size()) - limit;
  for (const state::ObjectPtr& revision : others_) {
    if (excess <= 0) return base::Status();
    if (revision->Deleting() || live.contains(revision->Labels()[kRevisionHashLabel].AsString()))
      continue;
    RETURN_IF_ERROR(turn_.draft().Delete(revision->key, state::DeleteOptions()).status());
    --excess;
  }
  return base::Status();
}

}  // namespace reconciler
