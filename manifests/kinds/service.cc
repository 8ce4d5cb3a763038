// A Service of type LoadBalancer is healthy when it has an address; others as their conditions say.
#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

bool IsLoadBalancer(Value service) { return service["spec"]["type"].AsString() == "LoadBalancer"; }

Health ServiceHealth(Value service) {
  if (IsLoadBalancer(service) && service["status"]["loadBalancer"]["ingress"].empty()) {
    return {Health::Level::kProgressing, "waits for an address"};
  }
  return HealthByConditions(service);
}

Json ServiceExternalIp(Value service, WallTime) {
  if (service["spec"]["type"].AsString() == "ExternalName") {
    return service["spec"]["externalName"].AsString();
  }
  std::vector<std::string> addresses;
  if (IsLoadBalancer(service)) addresses = LoadBalancerAddresses(service);
  for (const Value ip : service["spec"]["externalIPs"].Elements()) {
    addresses.emplace_back(ip.AsString());
  }
  if (!addresses.empty()) return JoinCell(addresses);
  return IsLoadBalancer(service) ? "<pending>" : kNoneCell;
}

Json ServicePorts(Value service, WallTime) {
  std::vector<std::string> ports;
  for (const Value port : service["spec"]["ports"].Elements()) {
    std::string text = std::to_string(port["port"].AsInt());
    const int64_t node_port = port["nodePort"].AsInt();
    if (node_port > 0) text += ":" + std::to_string(node_port);
    ports.push_back(text + "/" + std::string(port["protocol"].AsString("TCP")));
  }
  return OrNone(JoinCell(ports));
}

Json ServiceSelector(Value service, WallTime) { return LabelsCell(service["spec"]["selector"]); }

constexpr NamedCell kCells[] = {
    {"serviceExternalIP", ServiceExternalIp},
    {"servicePorts", ServicePorts},
    {"serviceSelector", ServiceSelector},
};

std::vector<std::string> ServiceNotes(Value service) {
  return {std::string(service["spec"]["clusterIP"].AsString())};
}

template <typename V>
void NodePorts(const V& service, ResourceList& amounts) {
  const auto& spec = service["spec"];
  if (spec["type"].AsString() != "NodePort") return;
  amounts["services.nodeports"] = Quantity::Units(static_cast<int64_t>(spec["ports"].size()));
}

}  // namespace

extern constinit const KindFacts kServiceFacts = {
    .resource = "services",
    .health = ServiceHealth,
    .named = true,
    .held_by = HeldBy::kEveryNode,
    .short_quota = true,
    .quota_amounts = {NodePorts<Value>, NodePorts<Json>},
    .cells = kCells,
    .notes = ServiceNotes,
};

}  // namespace manifests
