// From services to rules.
//
// A port with usable endpoints gets a verdict in kServices for each cluster IP and, if it has a
// node port, one in kNodePorts. internalTrafficPolicy Local and externalTrafficPolicy Local leave
// only this node's endpoints to choose from, for the one and the other. A cluster IP's port without
// endpoints gets no element: what remains addressed to the service range after translation is
// refused by the fixed chains, which also covers ports that no service has. A node port without
// endpoints is refused by an element of its own; if other nodes have some, it is dropped in
// silence, as a load balancer's retry may reach one of them.
//
// With session affinity each endpoint gets a chain that notes the client in a set whose elements
// expire, and the port gets a chain that asks these sets first. When an endpoint goes, its set goes
// with it, and only its own clients choose anew.
//
// A host port of a pod is a node port, or a port of the address that it names, with the pod as its
// one endpoint. A service's node port goes before it.
#include "servicemesh/rules/rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/hash.h"

namespace servicemesh {
namespace {

class Compiler {
 public:
  explicit Compiler(const MeshInput& input) : input_(input) {
    rules_.revision = input.revision;
    rules_.fixed = {input.pod_cidr, input.cluster_pod_cidr, input.service_cidr,
                    input.bridge_filtered};
  }

  RuleSet Run() {
    for (const Ipv4 ip : input_.node_ips) Add({MapId::kNodeIps, {ip}, 0, {}, {}});
    for (const Service& service : input_.services) {
      if (service.spec.headless || service.spec.type == ServiceType::kExternalName) continue;
      for (const ServicePort& port : service.ports) AddPort(service.spec, port);
    }
    for (const HostPort& port : input_.host_ports) AddHostPort(port);
    for (auto& [ref, chain] : chains_) rules_.chains.push_back(std::move(chain));
    SortElements();
    return std::move(rules_);
  }

 private:
  void AddPort(const ServiceSpec& spec, const ServicePort& port) {
    if (rules_.elements.size() + 2 * port.endpoints.size() > kMaxElements) {
      LeaveOut(spec, port, "the rules of this node have reached their limit");
      return;
    }
    const std::vector<Target> all = Usable(spec, port, TrafficPolicy::kCluster);
    for (const Ipv4 ip : spec.cluster_ips)
      AddFrontend(spec, port, {ip, port.protocol, port.port}, spec.internal_traffic_policy, all);
    if (port.node_port != 0)
      AddFrontend(spec, port, {{}, port.protocol, port.node_port}, spec.external_traffic_policy,
                  all);
  }

  std::vector<Target> Usable(const ServiceSpec& spec, const ServicePort& port,
                             TrafficPolicy policy) {
    std::vector<Target> targets;
    const bool local = policy == TrafficPolicy::kLocal;
    if (local && input_.node_name.empty()) return targets;
    for (const Endpoint* endpoint :
         UsableEndpoints(port.endpoints, spec.publish_not_ready, local ? input_.node_name : "")) {
      if (targets.size() == kMaxEndpointsPerPort) {
        LeaveOut(spec, port,
                 "only " + std::to_string(kMaxEndpointsPerPort) + " endpoints get traffic");
        break;
      }
      targets.push_back({endpoint->ip, endpoint->port});
    }
    return targets;
  }

  void AddFrontend(const ServiceSpec& spec, const ServicePort& port, const Frontend& at,
                   TrafficPolicy policy, const std::vector<Target>& all) {
    // Two services cannot own one frontend; the API sees to that. If they do for a moment, the
    // first by namespace and name keeps it.
    if (!taken_.insert(at).second) {
      LeaveOut(spec, port, at.ToString() + " belongs to another service");
      return;
    }
    if (policy == TrafficPolicy::kCluster)
      AddVerdict(spec, port, at, all, /*local=*/false, /*elsewhere=*/false);
    else
      AddVerdict(spec, port, at, Usable(spec, port, policy), /*local=*/true, !all.empty());
  }

  void AddVerdict(const ServiceSpec& spec, const ServicePort& port, const Frontend& at,
                  const std::vector<Target>& targets, bool local, bool elsewhere) {
    const bool at_node = at.ip.IsAny();
    if (targets.empty()) {
      const auto kind = elsewhere ? ChainRef::Kind::kDrop : ChainRef::Kind::kRefuse;
      if (at_node) Add({MapId::kClosedNodePorts, at, 0, {kind, 0, at.protocol}, {}});
      return;
    }
    for (const Target& target : targets) {
      if (Contains(input_.pod_cidr, target.ip)) hairpin_.insert(target.ip);
    }
    const MapId verdicts = at_node ? MapId::kNodePorts : MapId::kServices;
    if (spec.session_affinity_seconds > 0) {
      Add({verdicts, at, 0, AddSticky(spec, port, targets, local), {}});
      return;
    }
    AddSlots(at, targets);
  }

  void AddSlots(const Frontend& at, const std::vector<Target>& targets) {
    const bool at_node = at.ip.IsAny();
    const ChainRef pick{at_node ? ChainRef::Kind::kPickAtNode : ChainRef::Kind::kPick,
                        targets.size(), at.protocol};
    AddChain({pick});
    Add({at_node ? MapId::kNodePorts : MapId::kServices, at, 0, pick, {}});
    const MapId slots = at_node ? MapId::kNodePortEndpoints : MapId::kEndpoints;
    for (uint32_t slot = 0; slot < targets.size(); ++slot)
      Add({slots, at, slot, {}, targets[slot]});
  }

  void AddHostPort(const HostPort& port) {
    const Frontend at{port.host_ip, port.protocol, port.port};
    const auto& ours = input_.node_ips;
    std::string why;
    if (rules_.elements.size() + 2 > kMaxElements) {
      why = "the rules of this node have reached their limit";
    } else if (!at.ip.IsAny() && std::find(ours.begin(), ours.end(), at.ip) == ours.end()) {
      why = at.ip.ToString() + " is not the node's address";
    } else if (!taken_.insert(at).second) {
      why = at.ToString() + " belongs to a service or another pod";
    }
    if (!why.empty()) {
      rules_.left_out.push_back("pod " + port.pod + " host port " + std::to_string(port.port) +
                                ": " + why);
      return;
    }
    hairpin_.insert(port.target_ip);
    AddSlots(at, {{port.target_ip, port.target_port}});
  }

  // The same targets of the same port share a chain, whether reached by cluster IP or node port.
  ChainRef AddSticky(const ServiceSpec& spec, const ServicePort& port,
                     const std::vector<Target>& targets, bool local) {
    const std::string name = spec.ns + "/" + spec.name + "/" + port.name + "/" +
                             NameOf(port.protocol) + "/" + std::to_string(port.port);
    Chain sticky{
        {ChainRef::Kind::kSticky, base::Fnv64(name + (local ? "/local" : "")), port.protocol}};
    for (const Target& target : targets) {
      Chain point{{ChainRef::Kind::kStickyPoint, 0, port.protocol}};
      point.target = target;
      point.timeout_seconds = spec.session_affinity_seconds;
      // The timeout is part of the name, as that of a set cannot be changed in place.
      point.ref.id =
          base::Fnv64(name + "|" + target.ip.ToString() + ":" + std::to_string(target.port) + "|" +
                      std::to_string(point.timeout_seconds));
      sticky.points.push_back(AddChain(std::move(point)).id);
    }
    return AddChain(std::move(sticky));
  }

  // If another chain has the name already, takes the next free one.
  ChainRef AddChain(Chain chain) {
    for (;; ++chain.ref.id) {
      const auto [it, added] = chains_.emplace(chain.ref, chain);
      if (added || it->second == chain) return it->first;
    }
  }

  void Add(Element element) { rules_.elements.push_back(element); }

  void SortElements() {
    for (const Ipv4 ip : hairpin_) Add({MapId::kHairpin, {ip}, 0, {}, {}});
    std::vector<Element>& elements = rules_.elements;
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  }

  void LeaveOut(const ServiceSpec& spec, const ServicePort& port, const std::string& why) {
    rules_.left_out.push_back("service " + spec.ns + "/" + spec.name + " port " +
                              std::to_string(port.port) + ": " + why);
  }

  const MeshInput& input_;
  RuleSet rules_;
  std::map<ChainRef, Chain> chains_;
  std::set<Ipv4> hairpin_;
  std::set<Frontend> taken_;
};

}  // namespace

std::string Frontend::ToString() const {
  const std::string text = std::string(NameOf(protocol)) + " . " + std::to_string(port);
  return ip.IsAny() ? text : ip.ToString() + " . " + text;
}

std::string ChainRef::ToString() const {
  const auto hex = [this] {
    std::string text(16, '0');
    for (int digit = 0; digit < 16; ++digit)
      text[digit] = "0123456789abcdef"[id >> (60 - 4 * digit) & 15];
    return text;
  };
  switch (kind) {
    case Kind::kNone: break;
    case Kind::kRefuse: return "refuse";
    case Kind::kDrop: return "silent";
    case Kind::kPick: return std::string("pick-") + NameOf(protocol) + "-" + std::to_string(id);
    case Kind::kPickAtNode:
      return std::string("node-pick-") + NameOf(protocol) + "-" + std::to_string(id);
    case Kind::kStickyPoint: return "point-" + hex();
    case Kind::kSticky: return "sticky-" + hex();
  }
  return "none";
}

bool Element::SameKey(const Element& other) const {
  return map == other.map && at == other.at && slot == other.slot;
}

bool FixedChains::operator==(const FixedChains& other) const {
  const auto same = [](const base::Cidr& a, const base::Cidr& b) {
    return a.first() == b.first() && a.prefix_length() == b.prefix_length();
  };
  return same(pod_cidr, other.pod_cidr) && same(cluster_pod_cidr, other.cluster_pod_cidr) &&
         same(service_cidr, other.service_cidr) && bridge_filtered == other.bridge_filtered;
}

RuleSet CompileRules(const MeshInput& input) { return Compiler(input).Run(); }

}  // namespace servicemesh
