// Sim: a whole cluster on virtual time, from one seed: the control plane with its store on a disk
// that forgets what was not synced, nodes with their agents over fake runtimes, the network between
// them, users who push and who change things by hand, clients who watch; and what goes wrong. The
// same seed does the same steps.
//
// Safety is checked at every moment (invariants.h), liveness once nothing goes wrong any more
// (settled.h). A broken rule ends the run with a sentence.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/invariants.h"
#include "tests/sim/settled.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/troubles.h"
#include "tests/sim/users.h"
#include "tests/sim/watcher.h"
#include "tests/sim/world.h"

namespace tests {

struct SimOptions {
  int nodes = 3;
  int acts = 60;         // of users
  bool troubles = true;  // does anything go wrong
  int verbose = 0;       // 1: prints what happens, 2: objects, too
};

struct SimReport {
  std::string failure;  // empty: every rule held
  uint64_t trace = 0;   // hash of all that happened
  uint64_t commits = 0, crashes = 0, turns = 0;
  uint64_t started = 0, stopped = 0;  // containers
  uint64_t deploys = 0;               // accepted pushes
  uint64_t watched = 0, expired = 0;  // events told, watches that were too late
};

class Sim {
 public:
  Sim(uint64_t seed, const SimOptions& options);
  ~Sim();
  SimReport Run();

 private:
  void Begin();
  void Live();
  void Settle();
  void WaitUntilSettled(base::Duration most);
  // Everything starts again, and has nothing to write.
  void CheckQuiet();
  void RunFor(base::Duration time);

  const SimOptions options_;
  World world_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  SimServer server_;
  Invariants invariants_;
  Users users_;
  Troubles troubles_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace tests
