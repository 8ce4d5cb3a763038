#include "tests/sim/sim_node.h"

#include <utility>

namespace tests {
namespace {

constexpr int64_t kCpuMillis = 4000;
constexpr int64_t kMemory = int64_t{8} << 30;
constexpr uint32_t kFirstPodAddress = (10u << 24 | 88u << 16) + 2;
constexpr int kPodAddressBits = 16;  // of a node

}  // namespace

// One life of the agent's process.
struct SimNode::Agent {
  explicit Agent(SimNode& of)
      : process(of.world_.loop, of.seeds_.Next()),
        probes(process),
        node(process, of.Options(), of.Seams(probes), [&of](const base::Status& status) {
          of.world_.Fail(of.name_ + " cannot go on: " + status.ToString());
        }) {
    process.set_clock_error(of.clock_error_);
    node.Start();
    node.UseRuntime(of.runtime_);
  }

  base::SimProcess process;
  nodeagent::FakeProbeClient probes;
  plumb::Node node;
};

plumb::NodeOptions SimNode::Options() {
  plumb::NodeOptions options;
  options.facts.name = name_;
  options.facts.ip = ip_;
  options.facts.log_root = "/logs";
  options.facts.volume_root = "/pods";
  options.facts.cpu_millis = kCpuMillis;
  options.facts.memory_bytes = kMemory;
  options.facts.cluster_dns_ip = plumb::DnsAddress(world_.config);
  options.facts.cluster_domain = world_.config.cluster_domain;
  options.cluster = world_.config;
  options.version = "sim";
  options.seed = seeds_.Next();
  return options;
}

plumb::NodeSeams SimNode::Seams(nodeagent::ProbeClient& probes) {
  return {.dialer = *dialer_,
          .cache = cache_,
          .volumes = volumes_,
          .probes = probes,
          .dataplane = dataplane_,
          .routes = routes_,
          .dns = dns_,
          .read_machine = [this] { return ReadMachine(); },
          .make_pod_network = [](const std::string&) { return base::Status(); },
          .logs = logs_};
}

nodeagent::Machine SimNode::ReadMachine() const {
  nodeagent::Machine machine;
  machine.name = machine.hostname = name_;
  machine.ip = ip_;
  machine.cpu_millis = kCpuMillis;
  machine.memory_bytes = machine.free_memory_bytes = kMemory;
  machine.disk_bytes = machine.free_disk_bytes = kMemory;
  machine.free_pids = nodeagent::kMinFreePids;
  machine.architecture = "amd64";
  machine.runtime_name = "containerd";
  return machine;
}

SimNode::SimNode(World& world, int number)
    : world_(world),
      name_("n" + std::to_string(number)),
      ip_("192.168.0." + std::to_string(number)),
      seeds_(world.rng.Next()),
      faults_(world.rng.Next()),
      runtime_(world.loop, faults_,
               kFirstPodAddress + (static_cast<uint32_t>(number) << kPodAddressBits)),
      volumes_(world.loop, faults_),
      dataplane_(world.loop, &faults_),
      routes_(world.loop, &faults_),
      dialer_(world.network.Dialer(name_)) {}

SimNode::~SimNode() { KillAgent(); }

void SimNode::StartAgent() {
  CHECK(!up());
  agent_ = std::make_unique<Agent>(*this);
}

// What the agent asked the runtime for still happens; nobody is there to hear of it.
void SimNode::KillAgent() {
  runtime_.Disconnect();
  dataplane_.Disconnect();
  routes_.Disconnect();
  dns_.Forget();
  agent_.reset();
}

void SimNode::CrashAgent(base::Duration downtime) {
  world_.Trace("agent of " + name_ + " down");
  KillAgent();
  world_.loop.After(downtime, [this, start = ++starts_] {
    if (start == starts_) StartAgent();
  });
}

void SimNode::Reboot(base::Duration downtime) {
  world_.Trace(name_ + " reboots");
  CrashAgent(downtime);
  runtime_.Reboot();
  dataplane_.Reboot();
  routes_.Reboot();
}

void SimNode::set_clock_error(base::Duration error) {
  clock_error_ = error;
  if (up()) agent_->process.set_clock_error(error);
}

bool SimNode::knows() const { return up() && agent_->node.session().complete(); }

bool SimNode::Idle() const { return up() && agent_->node.Idle(); }

}  // namespace tests
