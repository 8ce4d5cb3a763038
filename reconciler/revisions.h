// Revisions: the templates that a workload had, as ControllerRevision objects, so that people can
// list them and go back (kubectl rollout history, undo). For workloads that own their pods
// themselves; a Deployment's history is its ReplicaSets (replica_sets.h).
//
// Lives for one turn; it reads and writes through that turn's draft.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "reconciler/claims.h"

namespace reconciler {

inline constexpr std::string_view kRevisions = "controllerrevisions.apps";
// On a revision, and on each pod made of it: the hash in the revision's name.
inline constexpr std::string_view kRevisionHashLabel = "controller-revision-hash";

class Revisions {
 public:
  // Adopts and releases, unless `owner` is ending.
  static base::Result<Revisions> Claim(Turn& turn, const state::Object& owner);

  // The revision of the owner's template gets the highest number; it is made if there is none. A
  // name that another's object has already is a collision: counted in `collisions`, so that the
  // next name is the same in every later turn.
  base::Status Sync(int64_t& collisions);

  // The label of the pods of the newest template; empty if it has no revision yet.
  std::string_view hash() const;

  // Deletes revisions, lowest numbers first, down to `limit` beside the newest. Those whose hash is
  // in `live` stay.
  base::Status Forget(int64_t limit, const std::set<std::string, std::less<>>& live);

 private:
  Revisions(Turn& turn, const state::Object& owner);
  base::Json NewRevision(const std::string& hash, int64_t number) const;

  Turn& turn_;
  const state::Object& owner_;
  base::Json data_;  // of the owner's template
  state::ObjectPtr newest_;
  Objects others_;  // lowest number first
};

}  // namespace reconciler
