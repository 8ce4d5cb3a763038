// Reading Services.
//
// An EndpointSlice belongs to the Service of its namespace that the label
// kubernetes.io/service-name names, and its ports to the Service's ports of the same name. Several
// slices may hold the same endpoint while the controller moves it: it then counts once, and as
// ready, serving or terminating if the most alive of its mentions is. An absent condition means
// ready=true, serving=ready, terminating=false (discovery.k8s.io/v1).
#include "servicemesh/services.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace servicemesh {
namespace {

constexpr uint32_t kDefaultAffinitySeconds = 10'800;  // sessionAffinityConfig's default
constexpr uint32_t kMaxAffinitySeconds = 86'400;

using Key = std::pair<std::string, std::string>;  // namespace, name

TrafficPolicy PolicyOf(base::Value value) {
  return value.AsString() == "Local" ? TrafficPolicy::kLocal : TrafficPolicy::kCluster;
}

ServiceType TypeOf(base::Value value) {
  const std::string_view name = value.AsString();
  if (name == "NodePort") return ServiceType::kNodePort;
  if (name == "LoadBalancer") return ServiceType::kLoadBalancer;
  if (name == "ExternalName") return ServiceType::kExternalName;
  return ServiceType::kClusterIp;
}

void ReadClusterIps(base::Value spec, ServiceSpec& out) {
  std::vector<base::Value> texts;
  for (base::Value ip : spec["clusterIPs"].Elements()) texts.push_back(ip);
  if (texts.empty()) texts.push_back(spec["clusterIP"]);
  for (base::Value text : texts) {
    if (text.AsString() == "None") out.headless = true;
    if (const auto ip = Ipv4::Parse(text.AsString())) out.cluster_ips.push_back(*ip);
  }
}

uint32_t AffinitySeconds(base::Value spec) {
  if (spec["sessionAffinity"].AsString() != "ClientIP") return 0;
  const int64_t seconds =
      spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].AsInt(kDefaultAffinitySeconds);
  return static_cast<uint32_t>(std::clamp<int64_t>(seconds, 1, kMaxAffinitySeconds));
}

Service ReadService(base::Value document) {
  const base::Value spec = document["spec"];
  Service service;
  service.spec.ns = document["metadata"]["namespace"].AsString();
  service.spec.name = document["metadata"]["name"].AsString();
  service.spec.type = TypeOf(spec["type"]);
  service.spec.session_affinity_seconds = AffinitySeconds(spec);
  service.spec.internal_traffic_policy = PolicyOf(spec["internalTrafficPolicy"]);
  service.spec.external_traffic_policy = PolicyOf(spec["externalTrafficPolicy"]);
  service.spec.publish_not_ready = spec["publishNotReadyAddresses"].AsBool();
  if (service.spec.type == ServiceType::kExternalName)
    service.spec.external_name = spec["externalName"].AsString();
  else
    ReadClusterIps(spec, service.spec);
  for (base::Value port : spec["ports"].Elements()) {
    ServicePort out;
    out.name = port["name"].AsString();
    out.protocol = ProtocolOf(port["protocol"]);
    out.port = PortOf(port["port"]);
    out.node_port = PortOf(port["nodePort"]);
    if (out.port != 0) service.ports.push_back(std::move(out));
  }
  std::sort(service.ports.begin(), service.ports.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.protocol, a.port) < std::tie(b.name, b.protocol, b.port);
  });
  return service;
}

// The slice's IPv4 endpoints, without ports.
std::vector<Endpoint> ReadEndpoints(base::Value slice) {
  std::vector<Endpoint> endpoints;
  for (base::Value value : slice["endpoints"].Elements()) {
    const base::Value conditions = value["conditions"];
    Endpoint endpoint;
    endpoint.ready = conditions["ready"].AsBool(true);
    endpoint.serving = conditions["serving"].AsBool(endpoint.ready);
    endpoint.terminating = conditions["terminating"].AsBool(false);
    endpoint.node = value["nodeName"].AsString();
    endpoint.hostname = value["hostname"].AsString();
    if (value["targetRef"]["kind"].AsString() == "Pod")
      endpoint.pod = value["targetRef"]["name"].AsString();
    // All addresses of an endpoint are the same backend: consumers use the first.
    const auto ip = Ipv4::Parse(value["addresses"].At(0).AsString());
    if (!ip) continue;
    endpoint.ip = *ip;
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

void AddSlice(base::Value slice, Service& service) {
  const std::vector<Endpoint> endpoints = ReadEndpoints(slice);
  service.addresses.insert(service.addresses.end(), endpoints.begin(), endpoints.end());
  for (base::Value port : slice["ports"].Elements()) {
    const uint16_t number = PortOf(port["port"]);
    if (number == 0) continue;
    for (ServicePort& wanted : service.ports) {
      if (wanted.name != port["name"].AsString() || wanted.protocol != ProtocolOf(port["protocol"]))
        continue;
      for (Endpoint endpoint : endpoints) {
        endpoint.port = number;
        wanted.endpoints.push_back(std::move(endpoint));
      }
    }
  }
}

// Sorts and joins mentions of one address and port; the most alive mention wins.
void SortUnique(std::vector<Endpoint>& endpoints) {
  const auto key = [](const Endpoint& e) {
    return std::tuple(e.ip, e.port, !e.ready, !e.serving, e.terminating, std::string_view(e.pod),
                      std::string_view(e.node), std::string_view(e.hostname));
  };
  std::sort(endpoints.begin(), endpoints.end(),
            [&](const Endpoint& a, const Endpoint& b) { return key(a) < key(b); });
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end(),
                              [](const Endpoint& a, const Endpoint& b) {
                                return a.ip == b.ip && a.port == b.port;
                              }),
                  endpoints.end());
}

}  // namespace

const char* NameOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp: return "tcp";
    case Protocol::kUdp: return "udp";
    case Protocol::kSctp: return "sctp";
  }
  return "";
}

Protocol ProtocolOf(base::Value value) {
  const std::string_view name = value.AsString();
  if (name == "UDP") return Protocol::kUdp;
  if (name == "SCTP") return Protocol::kSctp;
  return Protocol::kTcp;
}

uint16_t PortOf(base::Value value) {
  const int64_t port = value.AsInt();
  return port >= 1 && port <= 65535 ? static_cast<uint16_t>(port) : 0;
}

std::vector<Service> ServicesFrom(const std::vector<base::Value>& services,
                                  const std::vector<base::Value>& endpoint_slices) {
  std::map<Key, Service> found;
  for (base::Value document : services) {
    if (document["kind"].AsString() != "Service") continue;
    Service service = ReadService(document);
    if (service.spec.name.empty()) continue;
    Key key(service.spec.ns, service.spec.name);
    found.insert_or_assign(std::move(key), std::move(service));
  }
  for (base::Value slice : endpoint_slices) {
    if (slice["kind"].AsString() != "EndpointSlice" || slice["addressType"].AsString() != "IPv4")
      continue;
    const base::Value metadata = slice["metadata"];
    const auto it = found.find(Key(metadata["namespace"].AsString(),
                                   metadata["labels"]["kubernetes.io/service-name"].AsString()));
    if (it != found.end()) AddSlice(slice, it->second);
  }
  std::vector<Service> result;
  result.reserve(found.size());
  for (auto& [key, service] : found) {
    for (ServicePort& port : service.ports) SortUnique(port.endpoints);
    SortUnique(service.addresses);
    result.push_back(std::move(service));
  }
  return result;
}

std::vector<const Endpoint*> UsableEndpoints(const std::vector<Endpoint>& endpoints,
                                             bool publish_not_ready, const std::string& local_to) {
  std::vector<const Endpoint*> ready;
  std::vector<const Endpoint*> draining;
  for (const Endpoint& endpoint : endpoints) {
    if (!local_to.empty() && endpoint.node != local_to) continue;
    if (endpoint.ready || publish_not_ready)
      ready.push_back(&endpoint);
    else if (endpoint.serving && endpoint.terminating)
      draining.push_back(&endpoint);
  }
  return ready.empty() ? draining : ready;
}

}  // namespace servicemesh
