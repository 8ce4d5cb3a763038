// The reference scheduler: what each node is worth to a pod, worked out from a View from nothing,
// with a loop over all nodes and all pods for every question. It shares no table, no count and no
// plugin with the scheduler that ships; the property test holds the two against each other.
#pragma once

#include <string>
#include <vector>

#include "state/view.h"

namespace scheduler {

struct ReferenceVerdict {
  std::string node;
  bool fits = false;
  int64_t score = 0;  // if it fits
};

// In the order of the nodes' names.
std::vector<ReferenceVerdict> JudgeByReference(const state::View& view, const state::Object& pod);

// The node that `pod` should get: the best score, then the fewest pods, then the first name; empty
// if none fits.
std::string ChooseByReference(const state::View& view, const state::Object& pod);

}  // namespace scheduler
