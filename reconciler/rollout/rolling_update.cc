// RollingUpdate: the new set grows as far as maxSurge allows; else the old sets shrink as far as
// maxUnavailable allows, so that never more than most() pods are asked for, and never fewer than
// least() are available by our doing.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "reconciler/rollout/amount.h"
#include "reconciler/rollout/strategy.h"

namespace reconciler {
namespace {

int64_t Total(const std::vector<SetSize>& sets) {
  return std::accumulate(sets.begin(), sets.end(), int64_t{0},
                         [](int64_t sum, const SetSize& set) { return sum + set.replicas; });
}

// Percentages are of spec.replicas: maxSurge rounded up, maxUnavailable down. Should both come to
// 0, one pod may be unavailable, or nothing could ever move.
RolloutLimits Limits(base::Value spec) {
  RolloutLimits limits;
  limits.replicas = spec["replicas"].AsInt(1);
  const base::Value rolling = spec["strategy"]["rollingUpdate"];
  limits.max_surge = AmountOf(rolling["maxSurge"], limits.replicas, Round::kUp);
  limits.max_unavailable = AmountOf(rolling["maxUnavailable"], limits.replicas, Round::kDown);
  if (limits.max_surge == 0 && limits.max_unavailable == 0) limits.max_unavailable = 1;
  limits.max_unavailable = std::min(limits.max_unavailable, limits.replicas);
  return limits;
}

// The next size of the new set, which has `current`, when all sets together have `total`.
int64_t NewSetSize(const RolloutLimits& limits, int64_t current, int64_t total) {
  if (current >= limits.replicas) return limits.replicas;
  const int64_t room = std::max<int64_t>(limits.most() - total, 0);
  return current + std::min(room, limits.replicas - current);
}

// The next sizes of the old sets, oldest first. Pods that are not available go first, since nothing
// is lost with them; then as many others as least() allows.
std::vector<int64_t> OldSetSizes(const RolloutLimits& limits, const SetSize& new_set,
                                 const std::vector<SetSize>& old_sets) {
  std::vector<int64_t> sizes;
  for (const SetSize& set : old_sets) sizes.push_back(set.replicas);
  const int64_t total = new_set.replicas + Total(old_sets);
  // Pods of the new set that are not there yet must not be counted on.
  int64_t room = total - limits.least() - (new_set.replicas - new_set.available);
  if (room <= 0) return sizes;

  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t unhealthy = std::min(sizes[i] - old_sets[i].available, room);
    sizes[i] -= unhealthy;
    room -= unhealthy;
  }
  // Room that is left now is what is available beyond least().
  for (int64_t& size : sizes) {
    const int64_t less = std::min(size, room);
    size -= less;
    room -= less;
  }
  return sizes;
}

NextSizes Next(const RolloutState& state) {
  const SetSize new_set = state.new_set.value_or(SetSize());
  NextSizes next;
  for (const SetSize& set : state.old_sets) next.old_sets.push_back(set.replicas);
  next.new_set =
      NewSetSize(state.limits, new_set.replicas, new_set.replicas + Total(state.old_sets));
  if (state.new_set && *next.new_set == new_set.replicas)
    next.old_sets = OldSetSizes(state.limits, new_set, state.old_sets);
  return next;
}

// How much one set grows (or shrinks, if negative) to keep its share of the whole.
int64_t ShareOf(const RolloutLimits& limits, const SetSize& set, int64_t running) {
  if (limits.replicas == 0) return -set.replicas;
  const int64_t before = set.max_before > 0 ? set.max_before : std::max<int64_t>(running, 1);
  const double size = static_cast<double>(set.replicas) * static_cast<double>(limits.most()) /
                      static_cast<double>(before);
  return std::llround(size) - set.replicas;
}

// What is to be added or taken away is shared by size, and what rounding leaves over goes to the
// largest.
std::vector<int64_t> Rescale(const RolloutLimits& limits, int64_t running,
                             const std::vector<SetSize>& sets) {
  std::vector<int64_t> sizes;
  for (const SetSize& set : sets) sizes.push_back(set.replicas);
  const int64_t to_add = (limits.replicas > 0 ? limits.most() : 0) - Total(sets);
  if (to_add == 0 || sets.empty()) return sizes;

  // The largest first; of equal ones the newest grows first, and the oldest shrinks first.
  std::vector<size_t> order(sets.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto rank = [&](size_t i) {
      return std::tuple(-sets[i].replicas, to_add > 0 ? -sets[i].age_rank : sets[i].age_rank);
    };
    return rank(a) < rank(b);
  });
  int64_t added = 0;
  for (const size_t i : order) {
    if (sets[i].replicas == 0) continue;
    const int64_t share = ShareOf(limits, sets[i], running);
    const int64_t rest = to_add - added;
    const int64_t change = to_add > 0 ? std::min(share, rest) : std::max(share, rest);
    sizes[i] += change;
    added += change;
  }
  int64_t& largest = sizes[order.front()];
  largest = std::max<int64_t>(largest + to_add - added, 0);
  return sizes;
}

}  // namespace

extern const Strategy kRollingUpdate = {"RollingUpdate", Limits, Next, Rescale};

}  // namespace reconciler
