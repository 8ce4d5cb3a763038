// Troubles: what goes wrong in a run, one trouble at a time begun, any number under way. Each ends
// by itself or with Heal, after which nothing is broken any more.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_node.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/users.h"
#include "tests/sim/world.h"

namespace tests {

class Troubles {
 public:
  using Nodes = std::vector<std::unique_ptr<SimNode>>;

  Troubles(World& world, SimServer& server, const Nodes& nodes, Users& users);

  // Something breaks.
  void Begin();
  // All is whole again; what ended comes back by itself.
  void Heal();
  // A crash that waits for its turn of the loop.
  void EndOfTurn();

 private:
  void TroubleServer();
  void TroubleNetwork();
  void TroubleAgent();
  void TroubleRuntime();
  void TroubleContainers();
  void TroubleClocks();
  // Short mostly; now and then so long that a node counts as lost, or even loses its pods.
  base::Duration SomeTime();
  void For(base::Duration time, std::function<void()> ends);
  // Makes a point fail now and then, for some time.
  void Fault(base::Faults& faults, const std::string& point);
  SimNode& SomeNode() { return *nodes_[rng_.Below(nodes_.size())]; }

  World& world_;
  SimServer& server_;
  const Nodes& nodes_;
  Users& users_;
  base::Rng rng_;
  uint64_t crash_in_ = 0;  // turns; 0: no crash waits
  uint64_t healed_ = 0;    // counts Heal: what ends a trouble of before is void
};

}  // namespace tests
