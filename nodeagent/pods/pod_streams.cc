// A command runs in the container of the pod's uid and that name which runs now; the runtime's list
// is the truth.
#include "nodeagent/pods/pod_streams.h"

#include <algorithm>
#include <utility>

#include "nodeagent/volumes/volumes.h"

namespace nodeagent {
namespace {

const state::Key& PodOf(const state::StreamRequest& request) {
  return std::visit([](const auto& each) -> const state::Key& { return each.pod; }, request);
}

// The id of the container that runs; kNotFound if none does.
base::Result<std::string> FindRunning(const RuntimeSnapshot& snapshot, const std::string& pod_uid,
                                      const std::string& name) {
  for (const ContainerState& container : snapshot.containers) {
    const auto uid = container.labels.find(kPodUidLabel);
    if (container.phase == ContainerPhase::kRunning && container.name == name &&
        uid != container.labels.end() && uid->second == pod_uid) {
      return container.id;
    }
  }
  return base::Status(base::Code::kNotFound, "container " + name + " does not run");
}

}  // namespace

PodStreams::PodStreams(base::Loop& loop, const NodeFacts& node, ContainerLogs& logs,
                       std::function<std::vector<std::string>()> running)
    : loop_(loop), node_(node), logs_(logs), running_(std::move(running)) {}

void PodStreams::Open(const state::View& view, const state::StreamRequest& request,
                      std::unique_ptr<base::Duplex> stream) {
  const state::ObjectPtr pod = view.Get(PodOf(request));
  if (pod == nullptr) {
    return End(std::move(stream),
               base::Status(base::Code::kNotFound,
                            "the node does not know " + PodOf(request).ToString() + " any more"));
  }
  std::visit([&](const auto& each) { Start(*pod, each, std::move(stream)); }, request);
}

void PodStreams::Start(const state::Object& pod, const state::LogRequest& request,
                       std::unique_ptr<base::Duplex> stream) {
  const std::string directory =
      PodLogDirectory(node_, pod.key.ns, pod.key.name, std::string(pod.Uid())) + "/" +
      request.container;
  const uint64_t id = ++last_id_;
  followers_[id] = std::make_unique<LogFollower>(
      loop_, logs_, directory, request,
      [this](const std::string& path) {
        const std::vector<std::string> paths = running_();
        return std::find(paths.begin(), paths.end(), path) != paths.end();
      },
      std::move(stream), [this, id] { followers_.erase(id); });
}

void PodStreams::Start(const state::Object& pod, const state::ExecRequest& request,
                       std::unique_ptr<base::Duplex> stream) {
  if (runtime_ == nullptr) {
    return End(std::move(stream), base::Status(base::Code::kUnavailable,
                                               "the node's container runtime is not up yet"));
  }
  stream->SetPaused(true);  // what it brings waits for the command
  // Callbacks are copyable, streams are not.
  auto shared = std::make_shared<std::unique_ptr<base::Duplex>>(std::move(stream));
  runtime_->List(lifeline_.Wrap([this, uid = std::string(pod.Uid()), request,
                                 shared](base::Result<RuntimeSnapshot> snapshot) {
    const base::Result<std::string> container = snapshot.ok()
                                                    ? FindRunning(*snapshot, uid, request.container)
                                                    : base::Result<std::string>(snapshot.status());
    if (!container.ok()) return End(std::move(*shared), container.status());
    const uint64_t id = ++last_id_;
    commands_[id] =
        std::make_unique<base::Relay>(std::move(*shared), runtime_->OpenExec(*container, request),
                                      [this, id] { commands_.erase(id); });
    loop_.Post(lifeline_.Wrap([this, id] {
      const auto found = commands_.find(id);
      if (found != commands_.end()) found->second->Resume();
    }));
  }));
}

void PodStreams::End(std::unique_ptr<base::Duplex> stream, const base::Status& status) {
  const uint64_t id = ++last_id_;
  stream->Listen({.closed = [this, id](const base::Status&) { ending_.erase(id); }});
  stream->Finish(status);
  ending_[id] = std::move(stream);
  loop_.Post(lifeline_.Wrap([this, id] {
    const auto found = ending_.find(id);
    if (found != ending_.end()) found->second->SetPaused(false);
  }));
}

}  // namespace nodeagent
