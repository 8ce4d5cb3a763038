#include "plumb/node/node_mesh.h"

#include <vector>

#include "base/ip.h"
#include "base/log.h"
#include "servicemesh/dns/dns.h"
#include "servicemesh/network/node_routes.h"
#include "servicemesh/rules/read_mesh.h"

namespace plumb {
namespace {

constexpr uint32_t kDnsHost = 10;
constexpr base::Duration kRouteRetry = base::Duration::Seconds(10);

base::Cidr CidrOr(std::string_view text, const base::Cidr& fallback) {
  const base::Result<base::Cidr> cidr = base::Cidr::Parse(text);
  return cidr.ok() ? *cidr : fallback;
}

std::string_view InternalAddress(const state::Object& node) {
  for (base::Value address : node["status"]["addresses"].Elements()) {
    if (address["type"].AsString() == "InternalIP") return address["address"].AsString();
  }
  return {};
}

}  // namespace

std::string DnsAddress(const state::ClusterConfig& cluster) {
  return base::FormatIpv4(CidrOr(cluster.service_cidr, servicemesh::NoCidr()).first() + kDnsHost);
}

NodeMesh::NodeMesh(base::Loop& loop, NodeMeshOptions options, servicemesh::Dataplane& dataplane,
                   servicemesh::RouteTable& routes, servicemesh::DnsPublisher& dns,
                   std::function<void(state::Revision)> programmed)
    : loop_(loop),
      options_(std::move(options)),
      rules_(loop, dataplane),
      routes_(routes),
      dns_(dns),
      programmed_(std::move(programmed)) {
  rules_.OnProgrammed([this](uint64_t revision) { programmed_(revision); });
}

NodeMesh::~NodeMesh() {
  if (retry_ != 0) loop_.Cancel(retry_);
}

void NodeMesh::Start() {
  routes_.EnableForwarding(lifeline_.Wrap([this](base::Result<bool> bridge_filtered) {
    if (bridge_filtered.ok()) {
      bridge_filtered_ = *bridge_filtered;
    } else {
      base::LogError("forwarding could not be enabled",
                     {{"error", bridge_filtered.status().ToString()}});
    }
    forwarding_ = true;
    Program();
  }));
}

void NodeMesh::Update(const state::View& view, bool current) {
  view_ = view;
  current_ |= current;
  if (due_) return;
  due_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    due_ = false;
    Program();
  }));
}

servicemesh::MeshInput NodeMesh::Read(const state::View& view) const {
  servicemesh::MeshInput input;
  input.node_name = options_.node;
  if (const auto ip = servicemesh::Ipv4::Parse(options_.node_ip)) input.node_ips.push_back(*ip);
  input.cluster_domain = options_.cluster.cluster_domain;
  input.cluster_pod_cidr = CidrOr(options_.cluster.pod_cidr, servicemesh::NoCidr());
  input.service_cidr = CidrOr(options_.cluster.service_cidr, servicemesh::NoCidr());
  input.bridge_filtered = bridge_filtered_;
  return servicemesh::ReadMesh(view, std::move(input));
}

void NodeMesh::Program() {
  if (!forwarding_ || view_.revision() == 0) return;
  auto input = std::make_shared<servicemesh::MeshInput>(Read(view_));
  auto rules = std::make_shared<servicemesh::RuleSet>(servicemesh::CompileRules(*input));
  current_ ? rules_.Want(std::move(rules)) : rules_.Remember(std::move(rules));
  dns_.Publish(std::make_shared<servicemesh::DnsView>(input));

  std::vector<servicemesh::NodeNetwork> nodes;
  for (const state::ObjectPtr& node : view_.List("nodes")) {
    servicemesh::NodeNetwork network;
    network.name = node->key.name;
    if (const auto ip = servicemesh::Ipv4::Parse(InternalAddress(*node))) network.ip = *ip;
    network.pod_cidr = CidrOr((*node)["spec"]["podCIDR"].AsString(), servicemesh::NoCidr());
    nodes.push_back(std::move(network));
  }
  if (routing_) {
    routes_due_ = true;
    return;
  }
  routing_ = true;
  std::vector<servicemesh::Ipv4> local;
  if (const auto ip = servicemesh::Ipv4::Parse(options_.dns_ip)) local.push_back(*ip);
  routes_.Set(
      servicemesh::PlanRoutes(options_.node, std::move(nodes),
                              {.services = input->service_cidr,
                               .pods = input->cluster_pod_cidr,
                               .node_prefix_length = options_.cluster.pod_prefix_length},
                              std::move(local)),
      lifeline_.Wrap([this](base::Status status) {
        routing_ = false;
        if (!status.ok()) {
          base::LogError("routes could not be set, trying again", {{"error", status.ToString()}});
          if (retry_ != 0) loop_.Cancel(retry_);
          retry_ = loop_.After(kRouteRetry, [this] {
            retry_ = 0;
            Program();
          });
        }
        if (std::exchange(routes_due_, false)) Program();
      }));
}

}  // namespace plumb
