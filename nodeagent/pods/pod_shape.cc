// Rules:
// - Instances are ordered by their sandbox's attempt, then their own.
// - An instance that the runtime lost is recalled from the last status: what ended there has ended
//   so; what ran there was lost ("ContainerStatusUnknown", 137).
// - A container that ran before the agent was restarted keeps what the last status said of its
//   readiness until its probes have spoken.
// - An app restarts by its own policy or else by the pod's. An init container that succeeded in
// this
//   sandbox is done; one that failed runs again unless that policy is Never. A sidecar always runs
//   again.
#include "nodeagent/pods/pod_shape.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nodeagent {
namespace {

constexpr int32_t kLostExitCode = 137;

RestartPolicy PolicyOf(std::string_view text) {
  if (text == "Never") return RestartPolicy::kNever;
  if (text == "OnFailure") return RestartPolicy::kOnFailure;
  return RestartPolicy::kAlways;
}

const SandboxState* NewestSandbox(const std::vector<SandboxState>& sandboxes) {
  const auto newest =
      std::max_element(sandboxes.begin(), sandboxes.end(), [](const auto& a, const auto& b) {
        return std::tie(a.attempt, a.id) < std::tie(b.attempt, b.id);
      });
  return newest == sandboxes.end() ? nullptr : &*newest;
}

base::WallTime TimeOr(std::string_view text) {
  const auto time = base::WallTime::Parse(text);
  return time.ok() ? *time : base::WallTime();
}

// "containerd://ID" without its scheme.
std::string IdOf(std::string_view container_id) {
  const size_t scheme = container_id.find("://");
  return std::string(scheme == container_id.npos ? container_id : container_id.substr(scheme + 3));
}

base::Json StatusOf(const base::Json& list, std::string_view name) {
  for (const base::Json& status : list.Elements()) {
    if (status["name"].AsString() == name) return status;
  }
  return {};
}

// What has ended according to a container status; false if nothing ever ran.
bool RecallEnd(const base::Json& status, ContainerState& state) {
  const base::Json& now = status["state"];
  const base::Json& ended =
      now["terminated"].IsObject() ? now["terminated"] : status["lastState"]["terminated"];
  if (now["running"].IsObject()) {
    state.exit_code = kLostExitCode;
    state.reason = "ContainerStatusUnknown";
    state.message = "the container is not there any more; how it ended is not known";
    state.started_at = TimeOr(now["running"]["startedAt"].AsString());
    return true;
  }
  if (!ended.IsObject()) return false;
  state.exit_code = static_cast<int32_t>(ended["exitCode"].AsInt());
  state.reason = ended["reason"].AsString();
  state.message = ended["message"].AsString();
  state.started_at = TimeOr(ended["startedAt"].AsString());
  state.finished_at = TimeOr(ended["finishedAt"].AsString());
  return true;
}

}  // namespace

bool IsBeingStarted(const PodInput& input) {
  return std::any_of(input.containers.begin(), input.containers.end(),
                     [&](const ContainerState& state) {
                       return state.phase == ContainerPhase::kCreated &&
                              input.memory.under_way.contains("container " + state.name);
                     });
}

PodShape::PodShape(const PodInput& input)
    : input_(input),
      last_status_(input.memory.status.IsNull() ? (*input.pod)["status"].ToJson()
                                                : input.memory.status),
      sandbox_(NewestSandbox(input.sandboxes)),
      context_{input.node, input.pod->document.root(), input.view, input.complete},
      restart_policy_(PolicyOf((*input.pod)["spec"]["restartPolicy"].AsString())) {
  context_.ip = context_.HostNetwork() ? input.node.ip : sandbox_ != nullptr ? sandbox_->ip : "";
  for (base::Value spec : pod()["spec"]["initContainers"].Elements()) {
    const bool sidecar = spec["restartPolicy"].AsString() == "Always";
    init_.push_back(
        MakeSlot(spec, sidecar ? Role::kSidecar : Role::kInit, "initContainerStatuses"));
  }
  for (base::Value spec : pod()["spec"]["containers"].Elements()) {
    apps_.push_back(MakeSlot(spec, Role::kApp, "containerStatuses"));
  }
}

Slot PodShape::MakeSlot(base::Value spec, Role role, const char* status_list) {
  Slot slot;
  slot.spec = spec;
  slot.name = spec["name"].AsString();
  slot.role = role;
  slot.last_status = StatusOf(std::as_const(last_status_)[status_list], slot.name);
  FindInstances(slot);
  if (slot.current == nullptr) Recall(slot);
  return slot;
}

void PodShape::FindInstances(Slot& slot) {
  const auto order = [this](const ContainerState& state) {
    uint32_t sandbox_attempt = 0;
    for (const SandboxState& sandbox : input_.sandboxes) {
      if (sandbox.id == state.sandbox_id) sandbox_attempt = sandbox.attempt;
    }
    return std::make_tuple(sandbox_attempt, state.attempt, state.created_at);
  };
  for (const ContainerState& state : input_.containers) {
    if (state.name != slot.name) continue;
    if (slot.current == nullptr || order(*slot.current) < order(state)) {
      slot.previous = slot.current;
      slot.current = &state;
    } else if (slot.previous == nullptr || order(*slot.previous) < order(state)) {
      slot.previous = &state;
    }
  }
  slot.in_sandbox =
      slot.current != nullptr && sandbox_ != nullptr && slot.current->sandbox_id == sandbox_->id;
}

void PodShape::Recall(Slot& slot) {
  const base::Json& status = std::as_const(slot.last_status);
  ContainerState state;
  if (!RecallEnd(status, state)) return;
  state.id = IdOf(status["containerID"].AsString());
  state.name = slot.name;
  state.attempt = static_cast<uint32_t>(status["restartCount"].AsInt());
  state.phase = ContainerPhase::kExited;
  state.image = status["image"].AsString();
  state.image_id = status["imageID"].AsString();
  recalled_.push_back(std::move(state));
  slot.current = &recalled_.back();
}

bool PodShape::SandboxReady() const {
  return sandbox_ != nullptr && sandbox_->ready && !context_.ip.empty();
}

bool PodShape::Initialized() const {
  for (const Slot& app : apps_) {
    if (app.in_sandbox) return true;
  }
  for (const Slot& slot : init_) {
    if (slot.role == Role::kInit && !(slot.in_sandbox && slot.Succeeded())) return false;
    if (slot.role == Role::kSidecar && !(slot.in_sandbox && Started(slot))) return false;
  }
  return true;
}

bool PodShape::WantsRestart(const Slot& slot) const {
  if (!slot.Ended()) return false;
  const base::Value own = slot.spec["restartPolicy"];
  const RestartPolicy policy = own.Exists() ? PolicyOf(own.AsString()) : restart_policy_;
  switch (slot.role) {
    case Role::kSidecar: return true;
    case Role::kInit:
      if (slot.Succeeded()) return !slot.in_sandbox;
      return policy != RestartPolicy::kNever;
    case Role::kApp:
      if (policy == RestartPolicy::kOnFailure) return !slot.Succeeded();
      return policy == RestartPolicy::kAlways;
  }
  return false;
}

const ProbeVerdict* PodShape::VerdictOf(const Slot& slot) const {
  const auto verdict = input_.memory.probes.find(slot.current->id);
  return verdict == input_.memory.probes.end() ? nullptr : &verdict->second;
}

bool PodShape::Started(const Slot& slot) const {
  if (!slot.Running() || input_.memory.starting.count(slot.current->id) != 0) return false;
  if (!ProbeField(slot.spec, ProbeKind::kStartup).Exists()) return true;
  const ProbeVerdict* verdict = VerdictOf(slot);
  if (verdict != nullptr && verdict->started) return true;
  const base::Json& last = slot.last_status;
  return last["started"].AsBool() && IdOf(last["containerID"].AsString()) == slot.current->id;
}

bool PodShape::Ready(const Slot& slot) const {
  if (slot.role == Role::kInit) return slot.in_sandbox && slot.Succeeded();
  if (!Started(slot)) return false;
  if (!ProbeField(slot.spec, ProbeKind::kReadiness).Exists()) return true;
  const ProbeVerdict* verdict = VerdictOf(slot);
  if (verdict != nullptr && verdict->known) return verdict->ready;
  const base::Json& last = slot.last_status;
  return last["ready"].AsBool() && IdOf(last["containerID"].AsString()) == slot.current->id;
}

bool PodShape::Done(bool* failed) const {
  *failed = false;
  for (const Slot& slot : init_) {
    if (slot.role != Role::kInit || !slot.Ended() || slot.Succeeded()) continue;
    if (!WantsRestart(slot)) return *failed = true;
  }
  if (apps_.empty()) return false;
  for (const Slot& slot : apps_) {
    if (!slot.Ended() || WantsRestart(slot)) return false;
    *failed = *failed || !slot.Succeeded();
  }
  return true;
}

std::optional<base::Duration> PodShape::UntilDeadline() const {
  const base::Value limit = pod()["spec"]["activeDeadlineSeconds"];
  if (!limit.Exists()) return std::nullopt;
  const base::WallTime start = TimeOr(std::as_const(last_status_)["startTime"].AsString());
  const base::Duration whole = base::Duration::Seconds(limit.AsInt());
  if (start.IsZero()) return whole;
  return start + whole - input_.now.wall;
}

bool PodShape::PastDeadline() const {
  const auto left = UntilDeadline();
  return left && *left <= base::Duration();
}

}  // namespace nodeagent
