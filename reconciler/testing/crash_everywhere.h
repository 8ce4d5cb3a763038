// Crash everywhere: a scenario must end the same wherever the control plane is killed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reconciler/controller.h"
#include "state/testing/test_cluster.h"

namespace reconciler {

// What a state says, without what may differ between two equal courses (names of pods, uids, times,
// versions, events): a line for each object, pods counted by owner.
std::string EndState(const state::View& view);

struct CrashScenario {
  // What there is before the controllers start; null: an empty cluster.
  std::function<void(state::TestCluster&)> arrange;
  // What is done, one after the other; each settles for `settle` before the next.
  std::vector<std::function<void(state::TestCluster&)>> steps;
  base::Duration settle = base::Duration::Minutes(2);
  std::function<std::vector<std::unique_ptr<Controller>>()> controllers;
  // What must be the same at the end.
  std::function<std::string(state::TestCluster&)> describe = [](state::TestCluster& ended) {
    return EndState(ended.store().view());
  };
  // Where the test keeps the cluster of the course that runs; null: with the course.
  std::unique_ptr<state::TestCluster>* cluster = nullptr;
};

// Runs the scenario once without a crash, then once for every commit that the steps and the
// controllers make, with a crash right after that commit became durable, and expects the same end.
// Returns the number of commits.
uint64_t ExpectSameEndWhereverItCrashes(const CrashScenario& scenario);

}  // namespace reconciler
