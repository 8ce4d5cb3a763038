// A node is routed to for one node's share of the cluster's pod addresses, whatever its Node says:
// who can write a Node must not draw other traffic to it. A pod range belongs to one node. If two
// claim the same or overlapping ranges, the first by name keeps it and the other is named in
// left_out: two routes to one range would lose packets silently.
#include "servicemesh/network/node_routes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace servicemesh {
namespace {

bool Overlap(const base::Cidr& a, const base::Cidr& b) {
  return a.Contains(b.first()) || b.Contains(a.first());
}

bool Given(const base::Cidr& range) { return range.prefix_length() < 32; }

using Accepted = std::map<uint32_t, const NodeNetwork*>;  // by the start of the range

// Why `node` gets no route; nothing if it gets one.
std::optional<std::string> Refuse(const NodeNetwork& node, const Accepted& accepted,
                                  const ClusterRanges& cluster) {
  if (node.ip.IsAny()) return "it has no address yet";
  if (!Given(node.pod_cidr)) return "it has no pod range yet";
  const std::string its = "its pod range " + node.pod_cidr.ToString();
  if (Overlap(node.pod_cidr, cluster.services)) return its + " overlaps the service range";
  const bool inside = cluster.pods.Contains(node.pod_cidr.first()) &&
                      node.pod_cidr.prefix_length() >= cluster.pods.prefix_length();
  if (Given(cluster.pods) && !inside) {
    return its + " is not inside the cluster's, " + cluster.pods.ToString() +
           "; --pod-cidr must be the server's";
  }
  if (node.pod_cidr.prefix_length() < cluster.node_prefix_length) {
    return its + " is larger than a node's share, a prefix of " +
           std::to_string(cluster.node_prefix_length) + " bits";
  }
  // The accepted ranges are disjoint, so one that overlaps is the last that begins before the end
  // of this one.
  const base::Cidr& range = node.pod_cidr;
  const auto after = accepted.upper_bound(range.first() + static_cast<uint32_t>(range.size() - 1));
  if (after == accepted.begin()) return std::nullopt;
  const NodeNetwork& other = *std::prev(after)->second;
  if (!Overlap(other.pod_cidr, range)) return std::nullopt;
  return its + " overlaps that of node " + other.name;
}

std::map<std::string, std::string> ByRange(const std::vector<Route>& routes) {
  std::map<std::string, std::string> by_range;
  for (const Route& route : routes) by_range[route.to.ToString()] = route.ToString();
  return by_range;
}

}  // namespace

std::string Route::ToString() const {
  std::string text = to.ToString();
  text += via.IsAny() ? " dev lo" : " via " + via.ToString();
  if (!source.IsAny()) text += " src " + source.ToString();
  return text + " proto " + std::to_string(kRouteProtocol);
}

RoutePlan PlanRoutes(const std::string& self, std::vector<NodeNetwork> nodes,
                     const ClusterRanges& cluster, std::vector<Ipv4> local_addresses) {
  RoutePlan plan;
  std::sort(local_addresses.begin(), local_addresses.end());
  plan.local_addresses = std::move(local_addresses);
  // This node first: its own range is certain, whoever else claims it.
  std::sort(nodes.begin(), nodes.end(), [&](const NodeNetwork& a, const NodeNetwork& b) {
    return std::pair(a.name != self, a.name) < std::pair(b.name != self, b.name);
  });
  Accepted accepted;
  for (const NodeNetwork& node : nodes) {
    if (node.name == self && Given(cluster.services))
      plan.routes.push_back({cluster.services, {}, node.ip});
    if (const auto why = Refuse(node, accepted, cluster)) {
      plan.left_out.push_back("no route to the pods of node " + node.name + ": " + *why);
      continue;
    }
    accepted[node.pod_cidr.first()] = &node;
    if (node.name != self) plan.routes.push_back({node.pod_cidr, node.ip, {}});
  }
  std::sort(plan.routes.begin(), plan.routes.end(), [](const Route& a, const Route& b) {
    return std::pair(a.to.first(), a.to.prefix_length()) <
           std::pair(b.to.first(), b.to.prefix_length());
  });
  return plan;
}

std::string ToIpBatch(const RoutePlan& programmed, const RoutePlan& wanted) {
  std::string batch;
  const auto has = [](const std::vector<Ipv4>& list, Ipv4 ip) {
    return std::binary_search(list.begin(), list.end(), ip);
  };
  for (const Ipv4 ip : wanted.local_addresses) {
    if (!has(programmed.local_addresses, ip))
      batch += "address replace " + ip.ToString() + "/32 dev lo\n";
  }
  const std::map<std::string, std::string> was = ByRange(programmed.routes);
  const std::map<std::string, std::string> is = ByRange(wanted.routes);
  for (const auto& [range, route] : is) {
    const auto old = was.find(range);
    if (old == was.end() || old->second != route) batch += "route replace " + route + "\n";
  }
  for (const auto& [range, route] : was) {
    if (!is.contains(range))
      batch += "route delete " + range + " proto " + std::to_string(kRouteProtocol) + "\n";
  }
  for (const Ipv4 ip : programmed.local_addresses) {
    if (!has(wanted.local_addresses, ip))
      batch += "address delete " + ip.ToString() + "/32 dev lo\n";
  }
  return batch;
}

}  // namespace servicemesh
