// The order of a start: join (once), the edges, the Node over them, containerd. A restarted agent
// finds its containers again through containerd, and its View in its cache.
#include "plumb/node/edge/agent.h"

#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/edge/files.h"
#include "base/lifeline.h"
#include "base/log.h"
#include "nodeagent/edge/cni.h"
#include "nodeagent/edge/containerd.h"
#include "nodeagent/edge/cri_runtime.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/edge/join.h"
#include "nodeagent/edge/log_reader.h"
#include "nodeagent/edge/log_rotation.h"
#include "nodeagent/edge/node_facts.h"
#include "nodeagent/edge/probe_client.h"
#include "nodeagent/edge/view_cache.h"
#include "nodeagent/edge/volume_writer.h"
#include "nodeagent/volumes/volumes.h"
#include "plumb/endpoints.h"
#include "plumb/node/node.h"
#include "plumb/version.h"
#include "servicemesh/edge/dns_server.h"
#include "servicemesh/edge/nft_dataplane.h"
#include "servicemesh/edge/route_programmer.h"

namespace plumb {
namespace {

constexpr base::Duration kRenewalCheck = base::Duration::Hours(6);

// "https://10.0.0.1:6443" -> "10.0.0.1:6444": the agents' endpoint is on the next port.
base::Result<std::string> AgentEndpoint(const std::string& url) {
  const size_t start = url.find("://");
  const size_t colon = url.rfind(':');
  if (start == std::string::npos || colon == std::string::npos || colon <= start) {
    return base::Status(base::Code::kInvalid,
                        "--server " + url + ": write it like https://10.0.0.1:6443");
  }
  const std::string host = url.substr(start + 3, colon - start - 3);
  return host + ":" + std::to_string(std::atoi(url.c_str() + colon + 1) + kAgentPortOffset);
}

}  // namespace

struct Agent::Impl {
  Impl(base::RealLoop& the_loop, AgentOptions the_options)
      : loop(the_loop), options(std::move(the_options)) {}
  ~Impl() { loop.EndWorks(); }  // what they use ends next, also after a start that failed

  base::Status Start(std::function<void(base::Status)> on_failed);
  base::Status OpenEdges();
  void RenewLater(const nodeagent::JoinOptions& join);
  void StartContainerd();
  base::Status MakePodNetwork(const std::string& pod_cidr) const;
  nodeagent::Machine ReadMachine() const;

  base::RealLoop& loop;
  const AgentOptions options;
  std::function<void(base::Status)> failed;
  nodeagent::TlsIdentity identity;
  nodeagent::NodeFacts facts;
  std::unique_ptr<nodeagent::FrameDialer> dialer;
  std::unique_ptr<servicemesh::NftDataplane> dataplane;
  std::unique_ptr<servicemesh::RouteProgrammer> routes;
  std::unique_ptr<servicemesh::DnsServer> dns;
  std::unique_ptr<nodeagent::VolumeWriter> volumes;
  std::unique_ptr<nodeagent::ProbeClient> probes;
  std::unique_ptr<nodeagent::Containerd> containerd;
  std::unique_ptr<nodeagent::Runtime> runtime;
  nodeagent::LogFiles logs;
  std::unique_ptr<Node> node;
  std::unique_ptr<nodeagent::LogRotation> rotation;
  std::string runtime_version;
  base::Lifeline lifeline;
};

base::Status Agent::Impl::Start(std::function<void(base::Status)> on_failed) {
  failed = std::move(on_failed);
  RETURN_IF_ERROR(base::MakeDirectories(options.data_dir, 0700));
  ASSIGN_OR_RETURN(const std::string endpoint, AgentEndpoint(options.server));
  const nodeagent::JoinOptions join = {.server = options.server,
                                       .token = options.token,
                                       .node = options.node,
                                       .directory = options.data_dir + "/pki"};
  RETURN_IF_ERROR(base::MakeDirectories(join.directory, 0700));
  ASSIGN_OR_RETURN(identity, nodeagent::EnsureIdentity(join, loop.now().wall));
  facts.name = options.node;
  facts.ip = options.node_ip;
  facts.log_root = options.data_dir + "/logs";
  facts.volume_root = options.data_dir + "/pods";
  facts.cgroup_parent = options.cgroup_parent;
  facts.cluster_dns_ip = DnsAddress(options.cluster);
  facts.cluster_domain = options.cluster.cluster_domain;
  const nodeagent::Machine machine = nodeagent::ReadMachine(options.data_dir);
  facts.cpu_millis = machine.cpu_millis;
  facts.memory_bytes = machine.memory_bytes;
  facts.seccomp_default = options.seccomp_default;
  nodeagent::ReadResolvConf("/etc/resolv.conf", facts);

  dialer = nodeagent::NewGrpcDialer(loop, endpoint, [this] { return identity; });
  RETURN_IF_ERROR(OpenEdges());
  node = std::make_unique<Node>(
      loop,
      NodeOptions{.facts = facts,
                  .cluster = options.cluster,
                  .version = kVersion,
                  .seed = std::hash<std::string>()(options.node)},
      NodeSeams{.dialer = *dialer,
                .cache = std::make_shared<nodeagent::FileViewCache>(options.data_dir + "/view"),
                .volumes = *volumes,
                .probes = *probes,
                .dataplane = *dataplane,
                .routes = *routes,
                .dns = *dns,
                .read_machine = [this] { return ReadMachine(); },
                .make_pod_network =
                    [this](const std::string& pod_cidr) { return MakePodNetwork(pod_cidr); },
                .logs = logs},
      failed);
  RenewLater(join);
  StartContainerd();
  node->Start();
  return base::Status();
}

base::Status Agent::Impl::OpenEdges() {
  dataplane = std::make_unique<servicemesh::NftDataplane>(loop, "");
  routes = std::make_unique<servicemesh::RouteProgrammer>(loop, "");
  servicemesh::DnsServerOptions dns_options;
  for (const std::string& address : {facts.cluster_dns_ip, options.node_ip}) {
    if (const auto ip = servicemesh::Ipv4::Parse(address)) dns_options.listen.push_back(*ip);
  }
  // The node itself, by whichever of these it asks, and pods.
  for (const servicemesh::Ipv4 ip : dns_options.listen) {
    dns_options.clients.push_back(base::Cidr(ip.bits, 32));
  }
  for (const std::string& range : {std::string("127.0.0.0/8"), options.cluster.pod_cidr}) {
    ASSIGN_OR_RETURN(const base::Cidr cidr, base::Cidr::Parse(range));
    dns_options.clients.push_back(cidr);
  }
  dns_options.upstreams = facts.dns_servers;
  ASSIGN_OR_RETURN(dns, servicemesh::DnsServer::Start(dns_options));
  volumes = nodeagent::NewVolumeWriter(loop);
  probes = nodeagent::NewProbeClient(loop);
  return base::Status();
}

// A join blocks on the network, so a worker does it; the next connection shows the new certificate.
void Agent::Impl::RenewLater(const nodeagent::JoinOptions& join) {
  loop.After(kRenewalCheck, lifeline.Wrap([this, join] {
    loop.Offload([this, join, now = loop.now().wall, tie = lifeline.tie()] {
      const base::Result<nodeagent::TlsIdentity> renewed = nodeagent::EnsureIdentity(join, now);
      return tie.Wrap([this, join, renewed] {
        if (renewed.ok()) identity = *renewed;
        RenewLater(join);
      });
    });
  }));
}

void Agent::Impl::StartContainerd() {
  const auto connect = [this](const std::string& socket) {
    runtime = nodeagent::NewCriRuntime(loop, {.socket = socket});
    runtime->Version([this](base::Result<nodeagent::RuntimeVersion> version) {
      if (version.ok()) runtime_version = version->version;
    });
    node->UseRuntime(*runtime);
    rotation = std::make_unique<nodeagent::LogRotation>(loop, *runtime,
                                                        [this] { return node->RunningLogs(); });
  };
  if (!options.containerd.empty()) return connect(options.containerd);
  nodeagent::ContainerdOptions own;
  own.directory = options.data_dir + "/containerd";
  own.plain_http_registries = options.registry_mirrors;
  containerd = std::make_unique<nodeagent::Containerd>(loop, own);
  containerd->Start(lifeline.Wrap([this, connect](base::Status status) {
    if (!status.ok()) return failed(status.WithContext("containerd"));
    connect(containerd->socket());
  }));
}

base::Status Agent::Impl::MakePodNetwork(const std::string& pod_cidr) const {
  return nodeagent::WriteCniConfig(
      {.directory = containerd ? nodeagent::CniConfigDirectory(options.data_dir + "/containerd")
                               : options.cni_directory,
       .data_directory = options.data_dir + "/cni",
       .pod_cidr = pod_cidr});
}

nodeagent::Machine Agent::Impl::ReadMachine() const {
  nodeagent::Machine machine = nodeagent::ReadMachine(options.data_dir);
  machine.name = options.node;
  machine.ip = options.node_ip;
  machine.runtime_name = "containerd";
  machine.runtime_version = runtime_version;
  machine.agent_version = kVersion;
  return machine;
}

base::Result<std::unique_ptr<Agent>> Agent::Start(base::RealLoop& loop, const AgentOptions& options,
                                                  std::function<void(base::Status)> failed) {
  auto impl = std::make_unique<Impl>(loop, options);
  RETURN_IF_ERROR(impl->Start(std::move(failed)));
  return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

Agent::Agent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Agent::~Agent() = default;

}  // namespace plumb
