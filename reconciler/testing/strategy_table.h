// Tables for tests of rollout/: a rollout in numbers as text, and what a strategy makes of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reconciler/rollout/strategy.h"

namespace reconciler {

// Limits are "REPLICAS +SURGE -UNAVAILABLE". Sets are "WANTED/AVAILABLE", old ones oldest first;
// the word "run" after them: a pod of theirs has not ended. "-" is a new set that is not there, or
// not to be made yet.
struct StrategyCase {
  std::string limits, old_sets, new_set;
  std::string next_old, next_new;
  std::string because;
};

// Asks the strategy of this type for the next sizes of each case.
void ExpectNextSizes(std::string_view type, const std::vector<StrategyCase>& cases);

// What the strategy named in a Deployment's spec (JSON) allows.
std::string LimitsText(std::string_view spec);
// The sizes of the sets, oldest first, after spec.replicas changed to that of `limits`.
std::string RescaleText(std::string_view type, std::string_view limits, std::string_view sets);

}  // namespace reconciler
