// Pods are started when two things are known: a runtime, and the range of addresses that the
// control plane gave the node after it had joined. A restarted agent has the range from its cached
// View, and finds its containers again through the runtime.
#include "plumb/node/node.h"

#include <utility>

namespace plumb {

Node::Node(base::Loop& loop, NodeOptions options, NodeSeams seams,
           std::function<void(base::Status)> failed)
    : loop_(loop),
      options_(std::move(options)),
      seams_(std::move(seams)),
      failed_(std::move(failed)),
      session_(loop, seams_.dialer, seams_.cache,
               nodeagent::AgentOptions{options_.facts.name, options_.version, options_.seed}),
      mesh_(loop,
            NodeMeshOptions{options_.facts.name, options_.facts.ip, options_.facts.cluster_dns_ip,
                            options_.cluster},
            seams_.dataplane, seams_.routes, seams_.dns,
            [this](state::Revision revision) { session_.ReportProgrammed(revision); }),
      reporter_(loop, session_, seams_.read_machine),
      streams_(loop, options_.facts, seams_.logs, [this] { return RunningLogPaths(); }) {
  session_.OnView([this](const std::vector<state::Key>& keys) { ViewChanged(keys); });
  session_.OnProgrammedAll([this] {
    if (workers_) workers_->Programmed(session_.programmed_all());
  });
  session_.OnOpenStream(
      [this](const state::StreamRequest& request, std::unique_ptr<base::Duplex> stream) {
        streams_.Open(session_.view(), request, std::move(stream));
      });
}

Node::~Node() = default;

void Node::Start() {
  mesh_.Start();
  session_.Start();
  reporter_.Start();
}

void Node::UseRuntime(nodeagent::Runtime& runtime) {
  CHECK(runtime_ == nullptr);
  runtime_ = &runtime;
  streams_.UseRuntime(runtime);
  StartPods();
  reporter_.Watch(runtime);
}

void Node::ViewChanged(const std::vector<state::Key>& keys) {
  if (!session_.complete()) return;
  mesh_.Update(session_.view(), session_.connected());
  if (!workers_) return StartPods();
  workers_->ViewChanged(session_.view(), session_.complete(), keys);
}

void Node::StartPods() {
  if (workers_ || runtime_ == nullptr || !session_.complete()) return;
  const state::ObjectPtr self = session_.view().Get("nodes", "", options_.facts.name);
  if (self == nullptr || (*self)["spec"]["podCIDR"].AsString().empty()) return;
  const base::Status made =
      seams_.make_pod_network(std::string((*self)["spec"]["podCIDR"].AsString()));
  if (!made.ok()) return failed_(made.WithContext("pod network"));
  nodeagent::PodWorkers::Hooks hooks;
  hooks.status = [this](const state::Key& pod, const std::string& uid, const base::Json& status) {
    session_.ReportPod(pod, uid, status);
  };
  hooks.gone = [this](const state::Key& pod, const std::string& uid) {
    session_.ReportGone(pod, uid);
  };
  hooks.event = [this](const nodeagent::PodNews& news) {
    session_.ReportEvent(news.pod, news.uid, news.type == "Warning", news.reason, news.message);
  };
  workers_ = std::make_unique<nodeagent::PodWorkers>(
      loop_, *runtime_, seams_.volumes, seams_.probes, options_.facts, std::move(hooks));
  workers_->Programmed(session_.programmed_all());
  workers_->ViewReplaced(session_.view(), session_.complete());
}

std::vector<nodeagent::PodWorkers::Log> Node::RunningLogs() const {
  return workers_ ? workers_->RunningLogs() : std::vector<nodeagent::PodWorkers::Log>();
}

std::vector<std::string> Node::RunningLogPaths() const {
  std::vector<std::string> paths;
  for (const nodeagent::PodWorkers::Log& log : RunningLogs()) paths.push_back(log.path);
  return paths;
}

bool Node::Idle() const {
  return session_.connected() && session_.reports_waiting() == 0 && workers_ && workers_->Idle();
}

}  // namespace plumb
