// What the mesh of one node is computed from: the cluster's Services with their endpoints, and the
// node's place in the network. Plain data, read from Service and EndpointSlice documents
// (Kubernetes v1 and discovery.k8s.io/v1).
//
// Values, any thread. IPv4 only: endpoints and cluster IPs of other families are left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/document.h"
#include "servicemesh/ipv4.h"

namespace servicemesh {

enum class Protocol : uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };  // as in an IP header
const char* NameOf(Protocol protocol);                               // "tcp"
Protocol ProtocolOf(base::Value name);                               // of "UDP"; TCP by default
uint16_t PortOf(base::Value number);                                 // 0 for what is no port

struct Endpoint {
  Ipv4 ip;
  uint16_t port = 0;     // 0 in Service::addresses
  std::string node;      // node that runs it; "" if unknown
  std::string hostname;  // its own name under the service; "" if none
  std::string pod;       // name of the Pod; "" if it is none
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  bool operator==(const Endpoint&) const = default;
};

struct ServicePort {
  std::string name;  // "" for the only port
  Protocol protocol = Protocol::kTcp;
  uint16_t port = 0;
  uint16_t node_port = 0;           // 0: none
  std::vector<Endpoint> endpoints;  // sorted by ip and port, unique
  bool operator==(const ServicePort&) const = default;
};

enum class ServiceType : uint8_t { kClusterIp, kNodePort, kLoadBalancer, kExternalName };
enum class TrafficPolicy : uint8_t { kCluster, kLocal };

struct ServiceSpec {
  std::string ns;
  std::string name;
  ServiceType type = ServiceType::kClusterIp;
  std::vector<Ipv4> cluster_ips;          // empty for headless and external names
  uint32_t session_affinity_seconds = 0;  // 0: none
  TrafficPolicy internal_traffic_policy = TrafficPolicy::kCluster;
  TrafficPolicy external_traffic_policy = TrafficPolicy::kCluster;
  bool publish_not_ready = false;
  bool headless = false;
  std::string external_name;  // only of kExternalName
  bool operator==(const ServiceSpec&) const = default;
};

struct Service {
  ServiceSpec spec;
  std::vector<ServicePort> ports;
  std::vector<Endpoint> addresses;  // every endpoint address once, ports aside: what DNS names
  bool operator==(const Service&) const = default;
};

// A port of the node that leads to a pod on it.
struct HostPort {
  std::string pod;  // "namespace/name"
  Ipv4 host_ip;     // 0.0.0.0: all of the node's
  Protocol protocol = Protocol::kTcp;
  uint16_t port = 0;
  Ipv4 target_ip;
  uint16_t target_port = 0;
};

struct MeshInput {
  uint64_t revision = 0;  // of the state that this was read from
  std::string node_name;
  std::vector<Ipv4> node_ips;
  std::string cluster_domain = "cluster.local";
  base::Cidr pod_cidr = NoCidr();          // this node's pods
  base::Cidr cluster_pod_cidr = NoCidr();  // all nodes' pods
  base::Cidr service_cidr = NoCidr();
  // Whether bridged packets pass the IP rules (the kernel's br_netfilter). Without it, replies
  // between pods of one bridge would not come back through the node, so their service connections
  // are masqueraded.
  bool bridge_filtered = true;
  std::vector<Service> services;       // sorted by namespace and name
  std::vector<HostPort> host_ports{};  // sorted by pod
};

// Endpoints of one port beyond this get no traffic; the rest are named in RuleSet::left_out.
inline constexpr size_t kMaxEndpointsPerPort = 10'000;

// Joins Services with their EndpointSlices (label kubernetes.io/service-name, ports by name).
// Documents that are not of these kinds or lack a name are passed over: validation is the API's
// task. The answer does not depend on the order of the arguments.
std::vector<Service> ServicesFrom(const std::vector<base::Value>& services,
                                  const std::vector<base::Value>& endpoint_slices);

// The endpoints that may be sent new connections: the ready ones; if none is, those that are
// terminating but still serve (KEP-1669). With publish_not_ready, all. `local_to` other than ""
// leaves only that node's. In the order of `endpoints`.
std::vector<const Endpoint*> UsableEndpoints(const std::vector<Endpoint>& endpoints,
                                             bool publish_not_ready,
                                             const std::string& local_to = "");

}  // namespace servicemesh
