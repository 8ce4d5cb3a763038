// SimNode: a machine, and on it the agent as one process: plumb's Node over a fake runtime, disk,
// dataplane and routes, which stay when the agent ends. It is started again then.
#pragma once

#include <memory>
#include <string>

#include "base/testing/sim_process.h"
#include "nodeagent/testing/fake_container_logs.h"
#include "nodeagent/testing/fake_probe_client.h"
#include "nodeagent/testing/fake_runtime.h"
#include "nodeagent/testing/fake_volume_writer.h"
#include "nodeagent/testing/memory_view_cache.h"
#include "plumb/node/node.h"
#include "servicemesh/testing/fake_dataplane.h"
#include "servicemesh/testing/fake_dns_publisher.h"
#include "servicemesh/testing/fake_route_table.h"
#include "tests/sim/world.h"

namespace tests {

class SimNode {
 public:
  // The `number`th: "n1" with its pods at 10.89.0.2 and up.
  SimNode(World& world, int number);
  ~SimNode();

  void StartAgent();
  // The agent's process ends, and is started again after `downtime`; containers and rules stay.
  void CrashAgent(base::Duration downtime);
  // The machine: all containers end, the rules are gone. Its disk stays.
  void Reboot(base::Duration downtime);
  // The agent's View is gone from its disk, or does not read back.
  void LoseCache() { cache_->saved.reset(); }
  bool up() const { return agent_ != nullptr; }
  void set_clock_error(base::Duration error);

  const std::string& name() const { return name_; }
  nodeagent::FakeRuntime& runtime() { return runtime_; }
  const nodeagent::FakeRuntime& runtime() const { return runtime_; }
  const servicemesh::FakeDataplane& dataplane() const { return dataplane_; }
  const servicemesh::RoutePlan& routes() const { return routes_.plan(); }
  // What the node's DNS server would answer from; null while there is none.
  const servicemesh::DnsView* dns() const { return dns_.view(); }
  base::Faults& faults() { return faults_; }
  // The agent holds a whole View.
  bool knows() const;
  // Carries out nothing, and has nothing to say.
  bool Idle() const;

 private:
  struct Agent;
  void KillAgent();
  plumb::NodeOptions Options();
  plumb::NodeSeams Seams(nodeagent::ProbeClient& probes);
  nodeagent::Machine ReadMachine() const;

  World& world_;
  const std::string name_;
  const std::string ip_;
  base::Rng seeds_;
  base::Faults faults_;
  base::Duration clock_error_;
  nodeagent::FakeRuntime runtime_;
  nodeagent::FakeContainerLogs logs_{runtime_};
  nodeagent::FakeVolumeWriter volumes_;
  servicemesh::FakeDataplane dataplane_;
  servicemesh::FakeRouteTable routes_;
  servicemesh::FakeDnsPublisher dns_;
  const std::shared_ptr<nodeagent::MemoryViewCache> cache_ =
      std::make_shared<nodeagent::MemoryViewCache>();
  std::unique_ptr<nodeagent::FrameDialer> dialer_;
  std::unique_ptr<Agent> agent_;
  uint64_t starts_ = 0;  // counts agents asked for; a later one makes the earlier void
};

}  // namespace tests
