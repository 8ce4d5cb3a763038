// The routes of one node: to the pods of the other nodes, through these nodes' addresses, and to
// the service range, which needs some route for the node's own packets to get as far as the rules.
// All nodes share a link; pods of this node have the route of their bridge.
//
// Values, any thread; pure.
#pragma once

#include <string>
#include <vector>

#include "servicemesh/ipv4.h"

namespace servicemesh {

struct NodeNetwork {
  std::string name;
  Ipv4 ip;
  base::Cidr pod_cidr = NoCidr();
};

// Of the cluster; a pod range that is not given (NoCidr) bounds nothing.
struct ClusterRanges {
  base::Cidr services = NoCidr();
  base::Cidr pods = NoCidr();
  int node_prefix_length = 0;  // of a node's share of the pods' range
};

struct Route {
  base::Cidr to = NoCidr();
  Ipv4 via;     // next hop; 0.0.0.0: on the loopback device, for rules to catch
  Ipv4 source;  // address that this node's packets get; 0.0.0.0: the kernel's choice
  bool operator==(const Route& other) const { return ToString() == other.ToString(); }
  std::string ToString() const;  // as ip-route(8) takes it
};

struct RoutePlan {
  std::vector<Route> routes;          // sorted by range, unique
  std::vector<Ipv4> local_addresses;  // that this node answers itself (its DNS server's); sorted
  std::vector<std::string> left_out;  // sentences: nodes without a route, and why
};

// Marks our routes in the kernel, so that those of an earlier life are found.
inline constexpr int kRouteProtocol = 112;

// `self` names this node among `nodes`. Nodes without an address or a pod range have no route yet.
RoutePlan PlanRoutes(const std::string& self, std::vector<NodeNetwork> nodes,
                     const ClusterRanges& cluster, std::vector<Ipv4> local_addresses);

// Lines for ip(8) -batch: from one plan to another.
std::string ToIpBatch(const RoutePlan& programmed, const RoutePlan& wanted);

}  // namespace servicemesh
