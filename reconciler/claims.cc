// Orphans are found by an index of their own, and by their labels: what a turn costs does not grow
// with the pods that others own, nor with orphans that the selector does not find.
#include "reconciler/claims.h"

#include <algorithm>
#include <string>

#include "manifests/selector.h"
#include "reconciler/pods.h"
#include "state/by_labels.h"

namespace reconciler {
namespace {

using manifests::LabelSelector;

base::Status Release(Turn& turn, const state::Object& owner, const state::Object& object) {
  base::Json changed = object.document.ToJson();
  std::erase_if(changed["metadata"]["ownerReferences"].MutableElements(),
                [&](const base::Json& each) { return each["uid"].AsString() == owner.Uid(); });
  return turn.draft().Update(std::move(changed)).status();
}

base::Result<state::ObjectPtr> Adopt(Turn& turn, const state::Object& owner,
                                     const state::Object& object) {
  base::Json changed = object.document.ToJson();
  changed["metadata"]["ownerReferences"].Append(ControllerReference(owner));
  return turn.draft().Update(std::move(changed));
}

}  // namespace

base::Result<Objects> Claim(Turn& turn, const state::Object& owner, std::string_view resource) {
  ASSIGN_OR_RETURN(const LabelSelector selector,
                   LabelSelector::FromWorkload(owner["spec"]["selector"]));
  Objects owned, released, orphans;
  for (const state::ObjectPtr& object : turn.view().Lookup(state::Index::kOwner, owner.Uid())) {
    if (object->key.resource != resource || !object->IsControlledBy(owner.Uid())) continue;
    const bool matches = selector.Matches(object->Labels());
    (matches || object->Deleting() ? owned : released).push_back(object);
  }
  if (owner.Deleting()) return owned;
  for (const state::ObjectPtr& object : state::CarriersOf(
           turn.view(), resource, owner.key.ns, manifests::EqualLabelsOf(owner["spec"]["selector"]),
           state::View::Term{state::Index::kOrphan, owner.key.ns})) {
    if (IsActive(*object) && selector.Matches(object->Labels())) orphans.push_back(object);
  }
  for (const state::ObjectPtr& object : released) RETURN_IF_ERROR(Release(turn, owner, *object));
  for (const state::ObjectPtr& orphan : orphans) {
    ASSIGN_OR_RETURN(state::ObjectPtr adopted, Adopt(turn, owner, *orphan));
    owned.push_back(std::move(adopted));
  }
  return owned;
}

void EnqueueClaimants(const ClaimKinds& kinds, const state::Change& change, const state::View& view,
                      const Controller::Enqueue& enqueue) {
  const state::Key& key = change.key();
  if (key.resource != kinds.owned_resource) return;
  for (const state::ObjectPtr& object : {change.object, change.previous}) {
    if (object == nullptr) continue;
    const base::Value owner = object->ControllerRef();
    if (owner["kind"].AsString() != kinds.owner_kind) continue;
    enqueue({std::string(kinds.owner_resource), key.ns, std::string(owner["name"].AsString())});
  }
  if (change.removed || change.object->ControllerRef().Exists()) return;
  for (const state::ObjectPtr& owner :
       state::SelectorsOf(view, kinds.owner_resource, key.ns, change.object->Labels())) {
    const auto selector = LabelSelector::FromWorkload((*owner)["spec"]["selector"]);
    if (selector.ok() && selector->Matches(change.object->Labels())) enqueue(owner->key);
  }
}

}  // namespace reconciler
