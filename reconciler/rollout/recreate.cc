// Recreate: two versions never run beside each other. The old sets go to nothing; when the last of
// their pods has ended, the new set gets them all.
#include "reconciler/rollout/strategy.h"

namespace reconciler {
namespace {

RolloutLimits Limits(base::Value spec) {
  RolloutLimits limits;
  limits.replicas = spec["replicas"].AsInt(1);
  return limits;
}

NextSizes Next(const RolloutState& state) {
  NextSizes next;
  next.old_sets.assign(state.old_sets.size(), 0);
  bool shrinks = false;
  for (const SetSize& set : state.old_sets) shrinks = shrinks || set.replicas > 0;
  if (!shrinks && !state.old_pods_run) next.new_set = state.limits.replicas;
  return next;
}

// Two sets with pods are left from an adoption or an earlier strategy; the rollout sees to them.
std::vector<int64_t> Rescale(const RolloutLimits&, int64_t, const std::vector<SetSize>& sets) {
  std::vector<int64_t> sizes;
  for (const SetSize& set : sets) sizes.push_back(set.replicas);
  return sizes;
}

}  // namespace

extern const Strategy kRecreate = {"Recreate", Limits, Next, Rescale};

}  // namespace reconciler
