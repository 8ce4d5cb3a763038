#include "tests/sim/sim_node.h"

#include <utility>

#include "nodeagent/session/node_reporter.h"
#include "servicemesh/rules/read_mesh.h"

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
      : node(of),
        process(of.world_.loop, of.seeds_.Next()),
        probes(process),
        session(process, *of.dialer_, of.cache_,
                nodeagent::AgentOptions{of.name_, "sim", of.seeds_.Next()}),
        reporter(process, session, [this] { return ReadMachine(); }),
        rules(process, of.dataplane_) {
    process.set_clock_error(of.clock_error_);
    rules.OnProgrammed([this](uint64_t revision) { session.ReportProgrammed(revision); });
    session.OnView([this](const std::vector<state::Key>& keys) { ViewChanged(keys); });
    session.OnProgrammedAll([this] {
      if (workers) workers->Programmed(session.programmed_all());
    });
    session.Start();
    reporter.Start();
    reporter.Watch(of.runtime_);
    StartPods();
  }

  void ViewChanged(const std::vector<state::Key>& keys) {
    if (!session.complete()) return;
    current |= session.connected();
    ProgramSoon();
    if (!workers) return StartPods();
    workers->ViewChanged(session.view(), session.complete(), keys);
  }

  void StartPods() {
    if (workers || !session.complete()) return;
    const state::ObjectPtr self = session.view().Get("nodes", "", node.name_);
    if (self == nullptr || (*self)["spec"]["podCIDR"].AsString().empty()) return;
    nodeagent::NodeFacts facts;
    facts.name = node.name_;
    facts.ip = node.ip_;
    facts.log_root = "/logs";
    facts.volume_root = "/pods";
    facts.cpu_millis = kCpuMillis;
    facts.memory_bytes = kMemory;
    nodeagent::PodWorkers::Hooks hooks;
    hooks.status = [this](const state::Key& pod, const std::string& uid, const base::Json& status) {
      session.ReportPod(pod, uid, status);
    };
    hooks.gone = [this](const state::Key& pod, const std::string& uid) {
      session.ReportGone(pod, uid);
    };
    hooks.event = [this](const nodeagent::PodNews& news) {
      session.ReportEvent(news.pod, news.uid, news.type == "Warning", news.reason, news.message);
    };
    workers = std::make_unique<nodeagent::PodWorkers>(process, node.runtime_, node.volumes_, probes,
                                                      facts, std::move(hooks));
    workers->Programmed(session.programmed_all());
    workers->ViewReplaced(session.view(), session.complete());
  }

  void ProgramSoon() {
    if (std::exchange(program_posted, true)) return;
    process.Post([this] {
      program_posted = false;
      servicemesh::MeshInput place;
      place.node_name = node.name_;
      if (const auto ip = servicemesh::Ipv4::Parse(node.ip_)) place.node_ips.push_back(*ip);
      const auto service_range = base::Cidr::Parse(node.world_.config.service_cidr);
      const auto pod_range = base::Cidr::Parse(node.world_.config.pod_cidr);
      CHECK(service_range.ok() && pod_range.ok());
      place.service_cidr = *service_range;
      place.cluster_pod_cidr = *pod_range;
      auto wanted = std::make_shared<servicemesh::RuleSet>(
          servicemesh::CompileRules(servicemesh::ReadMesh(session.view(), std::move(place))));
      current ? rules.Want(std::move(wanted)) : rules.Remember(std::move(wanted));
    });
  }

  nodeagent::Machine ReadMachine() const {
    nodeagent::Machine machine;
    machine.name = machine.hostname = node.name_;
    machine.ip = node.ip_;
    machine.cpu_millis = kCpuMillis;
    machine.memory_bytes = machine.free_memory_bytes = kMemory;
    machine.disk_bytes = machine.free_disk_bytes = kMemory;
    machine.free_pids = nodeagent::kLeastFreePids;
    machine.architecture = "amd64";
    machine.runtime_name = "containerd";
    return machine;
  }

  SimNode& node;
  base::SimProcess process;
  nodeagent::FakeProbeClient probes;
  nodeagent::AgentSession session;
  nodeagent::NodeReporter reporter;
  servicemesh::RuleProgrammer rules;
  std::unique_ptr<nodeagent::PodWorkers> workers;
  bool current = false;  // the View is not that of an earlier process
  bool program_posted = false;
};

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
}

void SimNode::set_clock_error(base::Duration error) {
  clock_error_ = error;
  if (up()) agent_->process.set_clock_error(error);
}

bool SimNode::knows() const { return up() && agent_->session.complete(); }

bool SimNode::Idle() const {
  return up() && agent_->session.connected() && agent_->session.reports_waiting() == 0 &&
         agent_->workers && agent_->workers->Idle();
}

}  // namespace tests
