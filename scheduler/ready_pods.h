// ReadyPods: the pods that may be tried now, in the order in which they are: by priority, then age,
// then name. So it does not matter into how many batches they are cut.
//
// A value; one owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "state/object.h"

namespace scheduler {

class ReadyPods {
 public:
  void Insert(const state::Object& pod);
  void Erase(const state::Key& pod);
  // The first, which is then not here any more.
  std::optional<state::Key> Take();
  bool empty() const { return order_.empty(); }

 private:
  using Rank = std::pair<int64_t, std::string>;  // the negated priority, and when it was created
  std::set<std::pair<Rank, state::Key>> order_;
  std::map<state::Key, Rank> ranks_;
};

}  // namespace scheduler
