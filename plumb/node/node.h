// Node: what an agent decides with, assembled over seams: the session with the control plane, the
// pods, the node's status, its part of the mesh. The program gives it the real edges, the
// simulation fakes.
//
// Loop only. Destroying it stops nothing that runs: pods go on, and the next Node finds them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/status.h"
#include "nodeagent/pods/container_logs.h"
#include "nodeagent/pods/pod_streams.h"
#include "nodeagent/pods/pod_workers.h"
#include "nodeagent/session/agent_session.h"
#include "nodeagent/session/node_reporter.h"
#include "plumb/node/node_mesh.h"
#include "state/draft.h"

namespace plumb {

struct NodeOptions {
  nodeagent::NodeFacts facts;
  state::ClusterConfig cluster;
  std::string version;
  uint64_t seed = 0;  // spreads reconnects
};

// What a node needs of the world. All of it outlives the Node.
struct NodeSeams {
  nodeagent::FrameDialer& dialer;
  std::shared_ptr<nodeagent::ViewCache> cache;
  nodeagent::VolumeWriter& volumes;
  nodeagent::ProbeClient& probes;
  servicemesh::Dataplane& dataplane;
  servicemesh::RouteTable& routes;
  servicemesh::DnsPublisher& dns;
  std::function<nodeagent::Machine()> read_machine;
  // Makes the network that pods are put into, once the control plane has given the node a range.
  std::function<base::Status(const std::string& pod_cidr)> make_pod_network;
  nodeagent::ContainerLogs& logs;
};

class Node {
 public:
  // `failed` is called if it cannot go on.
  Node(base::Loop& loop, NodeOptions options, NodeSeams seams,
       std::function<void(base::Status)> failed);
  ~Node();

  // Takes up the View of an earlier life, and connects.
  void Start();
  // From now on there is a runtime. Once; it outlives this.
  void UseRuntime(nodeagent::Runtime& runtime);

  nodeagent::AgentSession& session() { return session_; }
  const nodeagent::AgentSession& session() const { return session_; }
  // Logs of the containers that run; none before there is a runtime.
  std::vector<nodeagent::PodWorkers::Log> RunningLogs() const;
  // Carries out nothing, and has nothing to say.
  bool Idle() const;

 private:
  void ViewChanged(const std::vector<state::Key>& keys);
  void StartPods();
  std::vector<std::string> RunningLogPaths() const;

  base::Loop& loop_;
  const NodeOptions options_;
  const NodeSeams seams_;
  const std::function<void(base::Status)> failed_;
  nodeagent::AgentSession session_;
  NodeMesh mesh_;
  nodeagent::NodeReporter reporter_;
  nodeagent::PodStreams streams_;
  nodeagent::Runtime* runtime_ = nullptr;
  std::unique_ptr<nodeagent::PodWorkers> workers_;
};

}  // namespace plumb
