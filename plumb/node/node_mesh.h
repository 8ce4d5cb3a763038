// NodeMesh: a node's part of the service mesh: from the View that the agent holds to packet rules,
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
#include "servicemesh/dns/dns_publisher.h"
#include "servicemesh/network/route_table.h"
#include "servicemesh/rules/dataplane.h"
#include "servicemesh/rules/rule_programmer.h"
#include "servicemesh/services.h"
#include "state/draft.h"
#include "state/view.h"

namespace plumb {

struct NodeMeshOptions {
  std::string node;
  std::string node_ip;
  // Where pods ask: an address of the service range that every node answers itself.
  std::string dns_ip;
  state::ClusterConfig cluster;
};

class NodeMesh {
 public:
  // The seams outlive this. `programmed` hears of each revision that packets follow.
  NodeMesh(base::Loop& loop, NodeMeshOptions options, servicemesh::Dataplane& dataplane,
           servicemesh::RouteTable& routes, servicemesh::DnsPublisher& dns,
           std::function<void(state::Revision)> programmed);
  ~NodeMesh();

  // Turns forwarding on; nothing is programmed before that was tried.
  void Start();
  // The agent's View is now this one, complete; `current` unless it is that of an earlier process.
  void Update(const state::View& view, bool current);

 private:
  void Program();
  servicemesh::MeshInput Read(const state::View& view) const;

  base::Loop& loop_;
  const NodeMeshOptions options_;
  servicemesh::RuleProgrammer rules_;
  servicemesh::RouteTable& routes_;
  servicemesh::DnsPublisher& dns_;
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
