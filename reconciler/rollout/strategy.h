// Strategy: how many pods each version of a workload is to have next, while one replaces another.
//
// Pure functions of numbers: controllers read the objects, ask, and write the sizes. A strategy is
// a file of this folder and one line in all.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/time.h"

namespace reconciler {

// What the workload's spec allows.
struct RolloutLimits {
  int64_t replicas = 1;
  int64_t max_surge = 0;        // pods above `replicas`
  int64_t max_unavailable = 0;  // pods below it
  int64_t most() const { return replicas + max_surge; }
  int64_t least() const { return replicas - max_unavailable; }
};

// A version's set of pods in numbers.
struct SetSize {
  int64_t replicas = 0;    // asked for
  int64_t available = 0;   // of those
  int64_t max_before = 0;  // what most() was when it was sized last; 0 if unknown
  int64_t age_rank = 0;    // 0 for the oldest
  bool operator==(const SetSize&) const = default;
};

// How far a rollout is.
struct RolloutState {
  RolloutLimits limits;
  std::optional<SetSize> new_set;  // absent: it is not made yet
  std::vector<SetSize> old_sets;   // oldest first
  bool old_pods_run = false;       // a pod of an old set has not ended
  base::WallTime now;
};

struct NextSizes {
  std::optional<int64_t> new_set;  // absent: not yet; a set that there is stays as it is
  std::vector<int64_t> old_sets;
  bool operator==(const NextSizes&) const = default;
};

struct Strategy {
  std::string_view type;  // of spec.strategy
  RolloutLimits (*limits)(base::Value spec);
  // The next step; sizes that are as they were are none.
  NextSizes (*next)(const RolloutState& state);
  // The sizes of the sets that have pods, oldest first, after spec.replicas changed amid a rollout.
  // `running` is how many pods there are.
  std::vector<int64_t> (*rescale)(const RolloutLimits& limits, int64_t running,
                                  const std::vector<SetSize>& sets);
};

// That of spec.strategy.type; a programmer error if there is none, since the schema names them.
const Strategy& StrategyOf(base::Value spec);

}  // namespace reconciler
