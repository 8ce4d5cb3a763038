// ReplicaSets: the versions of a workload that rolls out by ReplicaSets. Each template has a set,
// named after the template's hash. The one whose template equals the workload's is the new set, the
// others are old. A template that comes back finds its old set, which takes the next revision.
//
// Lives for one turn; it reads and writes through that turn's draft.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "reconciler/claims.h"
#include "reconciler/rollout/strategy.h"

namespace reconciler {

inline constexpr std::string_view kReplicaSets = "replicasets.apps";
inline constexpr std::string_view kTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kRevisionAnnotation = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistoryAnnotation =
    "deployment.kubernetes.io/revision-history";

class ReplicaSets {
 public:
  // Adopts and releases, unless `owner` is ending.
  static base::Result<ReplicaSets> Claim(Turn& turn, state::ObjectPtr owner);

  const state::Object& owner() const { return *owner_; }
  const state::ObjectPtr& new_set() const { return new_; }  // null: there is none yet
  const Objects& old_sets() const { return old_; }          // oldest first
  Objects All() const;
  // Those with pods, oldest first; if none has any, the one that would get them.
  Objects Active() const;
  // A pod of an old set has not ended.
  bool OldPodsRun() const;
  // Some set with pods was sized for another number of them.
  bool WereSizedForOther(int64_t replicas) const;
  // The new set has been sized for `replicas`, and as many are available.
  bool NewSetIsFull(int64_t replicas) const;

  static int64_t ReplicasOf(const state::Object& set);
  // `age_rank` as in SetSize.
  static SetSize SizeOf(const state::Object& set, int64_t age_rank);

  // Brings the owner's annotations and minReadySeconds to the new set, if there is one, and the
  // set's revision to the owner. Whether the owner's revision was another.
  base::Result<bool> SyncNewSet();

  // The hash for a new set's name. A name that another template's set has already is a collision:
  // counted in `collisions`, so that the next name is the same in every later turn.
  std::string FreeHash(int64_t& collisions) const;
  std::string NameOf(const std::string& hash) const;
  // Makes the new set; its revision becomes the owner's.
  base::Status Create(const std::string& hash, int64_t size, const RolloutLimits& limits);

  // Sizes a set; it then knows what it was sized for.
  base::Status Resize(const state::ObjectPtr& set, int64_t size, const RolloutLimits& limits);

  // Deletes empty old sets, lowest revisions first, down to `limit`.
  base::Status Forget(int64_t limit);

 private:
  ReplicaSets(Turn& turn, state::ObjectPtr owner);
  base::Result<state::ObjectPtr> Update(base::Json changed);
  base::Json NewSet(const std::string& hash, int64_t size) const;
  int64_t NextRevision() const;
  void HandDown(base::Json& set, int64_t revision) const;
  base::Status TakeRevision();
  void AnnounceSize(const std::string& set, int64_t from, int64_t to);

  Turn& turn_;
  state::ObjectPtr owner_;
  base::Json template_;
  state::ObjectPtr new_;
  Objects old_;
};

}  // namespace reconciler
