// Claims: which objects are whose. An owner's are those that name it as their controller and that
// its selector finds. One of its own that the selector no longer finds is released; an orphan,
// which has no controller at all, is adopted when the selector finds it. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "reconciler/controller.h"

namespace reconciler {

using Objects = std::vector<state::ObjectPtr>;

// Who claims what.
struct ClaimKinds {
  std::string_view owner_resource;  // "replicasets.apps"
  std::string_view owner_kind;      // "ReplicaSet"
  std::string_view owned_resource;  // "pods"
};

// The owner's objects of `resource`, after releasing and adopting: by name, adopted ones last. An
// owner that is ending takes and gives nothing any more.
base::Result<Objects> Claim(Turn& turn, const state::Object& owner, std::string_view resource);

// For Controller::Affects: the owners that a change of an owned object concerns. Those that it
// named before and names now; of an orphan, those whose selector finds it.
void EnqueueClaimants(const ClaimKinds& kinds, const state::Change& change, const state::View& view,
                      const Controller::Enqueue& enqueue);

}  // namespace reconciler
