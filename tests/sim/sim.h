// Sim: a whole cluster on virtual time, from one seed: a store on storage that forgets what was not
// synced, the controllers, the scheduler, nodes that start and lose pods, users who change their
// minds, and faults. The same seed does the same steps.
//
// Safety is checked at every commit, liveness once the faults have stopped. A broken rule ends the
// run with a sentence.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/rng.h"
#include "reconciler/reconciler.h"
#include "scheduler/scheduler.h"
#include "state/testing/test_cluster.h"
#include "tests/sim/sim_node.h"

namespace tests {

struct SimOptions {
  int nodes = 3;
  int steps = 60;           // of users and faults
  bool crashes = true;      // of the control plane
  bool node_faults = true;  // containers and nodes that fail
};

struct SimReport {
  std::string failure;  // empty: every rule held
  uint64_t trace = 0;   // hash of every commit
  uint64_t commits = 0, crashes = 0, turns = 0;
};

class Sim {
 public:
  Sim(uint64_t seed, const SimOptions& options);
  ~Sim();
  SimReport Run();

 private:
  void WatchStore();  // once for each opened store
  void StartControlPlane();
  void Crash();
  void Step();
  void UserStep();
  void Observe(const state::Change& change);
  void CheckAfterCrash();
  void CheckCapacity();
  void CheckSettled();
  void Fail(const std::string& what);
  std::string RandomSet();

  base::Rng rng_;
  const SimOptions options_;
  state::TestCluster cluster_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  SimReport report_;

  // What was told to the outside: must be there after a crash.
  state::Revision acknowledged_ = 0;
  state::Revision last_revision_ = 0;
  std::map<std::string, std::string> bound_;  // pod uid -> node
};

}  // namespace tests
