// NodeMesh: a node's part of the service mesh: from the View that the agent holds to nftables,
// routes and DNS answers, and back to the revision that is programmed.
//
// Loop only. Changes are collected: rules are compiled at most once a turn.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/status.h"
#include "servicemesh/edge/dns_server.h"
#include "servicemesh/edge/nft_dataplane.h"
#include "servicemesh/edge/route_programmer.h"
#include "servicemesh/rules/rule_programmer.h"
#include "servicemesh/services.h"
#include "state/draft.h"
#include "state/view.h"

namespace plumb {

struct NodeMeshOptions {
  std::string node;
  std::string node_ip;
  std::string
      dns_ip;  // where pods ask: an address of the service range that every node answers itself
  std::vector<std::string> upstreams;
  state::ClusterConfig cluster;
};

class NodeMesh {
 public:
  NodeMesh(base::Loop& loop, NodeMeshOptions options,
           std::function<void(state::Revision)> programmed);
  ~NodeMesh();

  // Listens for DNS and turns forwarding on.
  base::Status Start();
  // The agent's View is now this one, complete; `current` unless it is that of an earlier process.
  void Update(const state::View& view, bool current);

 private:
  void Program();
  servicemesh::MeshInput Read(const state::View& view) const;

  base::Loop& loop_;
  const NodeMeshOptions options_;
  servicemesh::NftDataplane dataplane_;
  servicemesh::RuleProgrammer rules_;
  servicemesh::RouteProgrammer routes_;
  std::unique_ptr<servicemesh::DnsServer> dns_;
  std::function<void(state::Revision)> programmed_;
  state::View view_;
  bool current_ = false;
  bool due_ = false;
  bool forwarding_ = false;
  bool bridge_filtered_ = true;
  bool routing_ = false, routes_due_ = false;
  base::Loop::TimerId retry_ = 0;  // of routes that could not be set
  base::Lifeline lifeline_;
};

// The address that every node answers DNS on: the tenth of the service range, as is usual.
std::string DnsAddress(const state::ClusterConfig& cluster);

}  // namespace plumb
