// Rules:
// - A pod that is wanted: its volumes are written and its sandbox runs; then init containers one
//   after the other (a sidecar counts as passed when it has started), then all apps at once. Each
//   takes one step at a time: find the image, create, start; what ended runs again by the restart
//   policy after its wait.
// - A sandbox that died is replaced by the next attempt, if any container is to run (again) in it.
// - A pod that is deleted, done or past its deadline starts nothing: apps are stopped, then
//   sidecars from the last to the first, then the sandbox. Of a deleted pod all is removed then.
// - A container of a deleted pod gets its signal when no node sends it connections any more, or
//   after DrainLimit. The grace period counts from the deletion: that wait, hooks, and one
//   container after the other, are all within it.
// - Attempts are counted from what exists. What a container's successor has to wait is written on
//   the container, so that the waits survive the agent.
// - Nothing is stopped because it is not known: without a complete View, a pod that the View does
//   not hold is left alone, and a ConfigMap that it does not hold is waited for.
// - What is under way is not begun again; what failed is left alone for a while. One command goes
//   past one that is under way: a stop that kills sooner.
#include "nodeagent/pods/pod_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "manifests/kinds/pod.h"
#include "nodeagent/pods/container_config.h"
#include "nodeagent/pods/image_credentials.h"
#include "nodeagent/pods/pod_shape.h"
#include "nodeagent/pods/pod_status.h"
#include "nodeagent/volumes/volumes.h"

namespace nodeagent {
namespace {

// Without its own address a sandbox is looked at again soon.
constexpr base::Duration kAddressPoll = base::Duration::Seconds(1);

int64_t IntAnnotation(const ContainerState& state, const char* name, int64_t fallback) {
  const auto found = state.annotations.find(name);
  if (found == state.annotations.end()) return fallback;
  int64_t value = fallback;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::string StringAnnotation(const ContainerState& state, const char* name) {
  const auto found = state.annotations.find(name);
  return found == state.annotations.end() ? "" : found->second;
}

bool RanLong(const ContainerState& state) {
  return !state.started_at.IsZero() && !state.finished_at.IsZero() &&
         state.finished_at - state.started_at >= kRestartForgiven;
}

// How long the successor of an ended container waits.
base::Duration RestartWait(const ContainerState& state) {
  if (RanLong(state)) return {};
  return std::min(kMaxRestartWait,
                  base::Duration::Seconds(IntAnnotation(state, kRestartWaitAnnotation, 0)));
}

// How long the successor of the successor will wait.
base::Duration NextRestartWait(const ContainerState* ended) {
  if (ended == nullptr) return {};
  const base::Duration wait = RestartWait(*ended);
  if (wait == base::Duration()) return kFirstRestartWait;
  return std::min(kMaxRestartWait, wait * 2);
}

// The plan under construction; knows what may not run now.
class Planner {
 public:
  explicit Planner(const PodInput& input) : input_(input) {}

  void Add(Command command) {
    const std::string object = ObjectOf(command);
    if (IsUnderWay(object, command)) return;
    const auto failure = input_.memory.failures.find(object);
    if (failure != input_.memory.failures.end() &&
        input_.now.monotonic < failure->second.retry_at) {
      return Again(failure->second.retry_at - input_.now.monotonic);
    }
    plan_.commands.push_back(std::move(command));
  }
  void Again(base::Duration after) {
    after = std::max(after, base::Duration::Millis(1));
    plan_.again_after = plan_.again_after ? std::min(*plan_.again_after, after) : after;
  }
  void Wait(const std::string& container, std::string reason, std::string message) {
    waiting_[container] = {std::move(reason), std::move(message)};
  }
  const Failure* FailureOf(const std::string& object) const {
    const auto failure = input_.memory.failures.find(object);
    return failure == input_.memory.failures.end() ? nullptr : &failure->second;
  }
  const std::map<std::string, Waiting>& waiting() const { return waiting_; }
  PodPlan& plan() { return plan_; }
  const PodInput& input() const { return input_; }

 private:
  bool IsUnderWay(const std::string& object, const Command& command) const {
    const auto under_way = input_.memory.under_way.find(object);
    if (under_way == input_.memory.under_way.end()) return false;
    const auto* stop = std::get_if<StopContainer>(&command);
    const bool sooner =
        stop != nullptr && input_.now.monotonic + stop->grace + kMinGrace < under_way->second;
    return !sooner;
  }

  const PodInput& input_;
  PodPlan plan_;
  std::map<std::string, Waiting> waiting_;
};

// What ended: its last words.

// True if all that the runtime lists of ended containers have said them.
bool ReadMessages(const PodInput& input, Planner& planner) {
  bool all = true;
  for (const ContainerState& state : input.containers) {
    const std::string file = StringAnnotation(state, kMessageAnnotation);
    if (state.phase != ContainerPhase::kExited || file.empty()) continue;
    if (input.memory.messages.count(state.id) != 0) continue;
    all = false;
    planner.Add(
        ReadMessage{state.id, file,
                    state.exit_code == 0 ? "" : StringAnnotation(state, kMessageLogAnnotation)});
  }
  return all;
}

// Running.

bool WritePending(const VolumeWrite& volume, const PodMemory& memory) {
  const auto written = memory.volumes.find(volume.name);
  return written == memory.volumes.end() || written->second != volume.version;
}

// True if containers may mount all volumes. `problem` says what is wrong with them, if so.
bool PlanVolumes(const PodShape& shape, Planner& planner, base::Status& problem) {
  auto volumes = BuildVolumes(shape.context());
  if (!volumes.ok()) {
    problem = volumes.status();
    return false;
  }
  const PodMemory& memory = planner.input().memory;
  bool all_there = true;
  WriteVolumes write;
  for (VolumeWrite& volume : *volumes) {
    all_there = all_there && memory.volumes.count(volume.name) != 0;
    if (WritePending(volume, memory)) write.volumes.push_back(std::move(volume));
  }
  if (!write.volumes.empty()) planner.Add(std::move(write));
  if (const Failure* failure = planner.FailureOf("volumes")) problem = failure->status;
  return all_there;
}

bool NeedsSandbox(const PodShape& shape) {
  const auto wants = [&shape](const Slot& slot) {
    return slot.current == nullptr || shape.WantsRestart(slot) ||
           slot.current->phase == ContainerPhase::kCreated;
  };
  return std::any_of(shape.apps().begin(), shape.apps().end(), wants);
}

void PlanSandbox(const PodShape& shape, Planner& planner) {
  const SandboxState* sandbox = shape.sandbox();
  if (sandbox != nullptr && sandbox->ready) return planner.Again(kAddressPoll);
  const auto& containers = planner.input().containers;
  const bool runs = std::any_of(containers.begin(), containers.end(), [](const auto& state) {
    return state.phase == ContainerPhase::kRunning;
  });
  if (sandbox != nullptr && runs) return planner.Add(StopSandbox{sandbox->id});
  if (!NeedsSandbox(shape)) return;
  planner.Add(RunSandbox{BuildSandbox(shape.context(), sandbox ? sandbox->attempt + 1 : 0)});
}

PullPolicy PolicyOf(base::Value container, const std::string& reference) {
  const std::string_view policy = container["imagePullPolicy"].AsString();
  if (policy == "Always") return PullPolicy::kAlways;
  if (policy == "Never") return PullPolicy::kNever;
  if (policy == "IfNotPresent") return PullPolicy::kIfNotPresent;
  return reference.ends_with(":latest") ? PullPolicy::kAlways : PullPolicy::kIfNotPresent;
}

void ExplainImage(const Slot& slot, const ImageResult& image, PullPolicy policy, Planner& planner) {
  const std::string message(image.failure.message());
  if (policy == PullPolicy::kNever && image.failure.code() == base::Code::kNotFound) {
    return planner.Wait(slot.name, "ErrImageNeverPull", message);
  }
  if (image.failure.code() == base::Code::kInvalid) {
    return planner.Wait(slot.name, "InvalidImageName", message);
  }
  if (image.failures <= 1) return planner.Wait(slot.name, "ErrImagePull", message);
  planner.Wait(slot.name, "ImagePullBackOff", "back-off pulling: " + message);
}

// The image's id once it is here.
std::optional<std::string> PlanImage(const PodShape& shape, const Slot& slot, uint32_t attempt,
                                     Planner& planner) {
  const std::string reference = WithTag(std::string(slot.spec["image"].AsString()));
  const PullPolicy policy = PolicyOf(slot.spec, reference);
  const auto known = planner.input().memory.images.find(slot.name);
  if (known != planner.input().memory.images.end() && known->second.attempt == attempt &&
      known->second.reference == reference) {
    const ImageResult& image = known->second;
    if (!image.id.empty()) return image.id;
    ExplainImage(slot, image, policy, planner);
    const base::MonotonicTime now = planner.input().now.monotonic;
    if (now < image.retry_at) {
      planner.Again(image.retry_at - now);
      return std::nullopt;
    }
  }
  planner.Add(
      PullImage{slot.name, attempt, reference, policy, CredentialsFor(shape.context(), reference)});
  return std::nullopt;
}

void ExplainConfig(const Slot& slot, const base::Status& problem, Planner& planner) {
  const bool waits = problem.code() == base::Code::kUnavailable;
  planner.Wait(slot.name, waits ? "ContainerCreating" : "CreateContainerConfigError",
               std::string(problem.message()));
}

uint32_t NextAttempt(const Slot& slot) {
  if (slot.current != nullptr) return slot.current->attempt + 1;
  return static_cast<uint32_t>(slot.last_status["restartCount"].AsInt());
}

struct Blocked {  // what keeps all containers from being created
  bool blocked = false;
  base::Status problem;
};

void PlanCreate(const PodShape& shape, const Slot& slot, const Blocked& volumes, Planner& planner) {
  const uint32_t attempt = NextAttempt(slot);
  const auto image = PlanImage(shape, slot, attempt, planner);
  if (volumes.blocked) {
    if (!volumes.problem.ok()) ExplainConfig(slot, volumes.problem, planner);
    return;
  }
  if (!image) return;
  auto build =
      BuildContainer(shape.context(), slot.spec, attempt, *image, NextRestartWait(slot.current));
  if (!build.ok()) return ExplainConfig(slot, build.status(), planner);
  if (const Failure* failure = planner.FailureOf("container " + slot.name)) {
    planner.Wait(slot.name, "CreateContainerError", std::string(failure->status.message()));
  }
  planner.Add(CreateContainer{
      shape.sandbox()->id, BuildSandbox(shape.context(), shape.sandbox()->attempt),
      std::move(build->config), std::move(build->files), std::move(build->sub_paths)});
}

// What is left of the wait since the container ended. Wall time counts, as it survives the agent;
// so does monotonic time, as a clock that was put back must not make the wait longer.
base::Duration WaitLeft(const ContainerState& ended, const PodInput& input) {
  const base::Duration wait = RestartWait(ended);
  const base::Duration by_wall = ended.finished_at + wait - input.now.wall;
  const auto seen = input.memory.exits.find(ended.id);
  if (seen == input.memory.exits.end()) return std::min(wait, by_wall);
  return std::min(by_wall, seen->second + wait - input.now.monotonic);
}

base::Duration GraceOf(base::Value pod, base::Value probe) {
  const int64_t pod_grace = pod["metadata"]["deletionGracePeriodSeconds"].AsInt(
      pod["spec"]["terminationGracePeriodSeconds"].AsInt(kDefaultGraceSeconds));
  return std::max(kMinGrace,
                  base::Duration::Seconds(probe["terminationGracePeriodSeconds"].AsInt(pod_grace)));
}

// What is left of the grace period of a pod that goes away, in whole seconds as runtimes count.
base::Duration GraceLeft(const PodInput& input, base::Duration grace) {
  if (!input.memory.stopping_since) return grace;
  const base::Duration left = *input.memory.stopping_since + grace - input.now.monotonic;
  const base::Duration up = base::Duration::Seconds(1) - base::Duration::Nanos(1);
  return std::max(kMinGrace, base::Duration::Seconds((left + up).seconds()));
}

StopContainer Stop(const PodShape& shape, const Slot& slot, base::Duration grace,
                   std::string reason) {
  const Check hook = CheckOf(shape.context(), slot.spec, slot.spec["lifecycle"]["preStop"]);
  return {slot.name, slot.current->id, grace, hook, std::move(reason)};
}

// Whether a running container has to go, and why.
void PlanRunning(const PodShape& shape, const Slot& slot, Planner& planner) {
  const PodMemory& memory = planner.input().memory;
  const auto verdict = memory.probes.find(slot.current->id);
  if (verdict != memory.probes.end() && verdict->second.unhealthy) {
    const ProbeKind kind = shape.Started(slot) ? ProbeKind::kLiveness : ProbeKind::kStartup;
    return planner.Add(
        Stop(shape, slot, GraceOf(shape.pod(), ProbeField(slot.spec, kind)),
             std::string(ToString(kind)) + " probe failed: " + verdict->second.message));
  }
  if (memory.hook_failed.count(slot.current->id) != 0) {
    return planner.Add(Stop(shape, slot, GraceOf(shape.pod(), {}), "its postStart hook failed"));
  }
  const std::string image = StringAnnotation(*slot.current, kImageAnnotation);
  if (!image.empty() && image != slot.spec["image"].AsString()) {
    planner.Add(Stop(shape, slot, GraceOf(shape.pod(), {}), "its image was changed in the spec"));
  }
}

void PlanEnded(const PodShape& shape, const Slot& slot, const Blocked& volumes, Planner& planner) {
  if (!shape.WantsRestart(slot)) return;
  const base::Duration left = WaitLeft(*slot.current, planner.input());
  if (left > base::Duration()) {
    planner.Wait(
        slot.name, "CrashLoopBackOff",
        "back-off " + RestartWait(*slot.current).ToString() + " restarting container " + slot.name);
    return planner.Again(left);
  }
  PlanCreate(shape, slot, volumes, planner);
}

// One step of one container.
void PlanSlot(const PodShape& shape, const Slot& slot, const Blocked& volumes, Planner& planner) {
  if (slot.current == nullptr) return PlanCreate(shape, slot, volumes, planner);
  if (slot.Ended()) return PlanEnded(shape, slot, volumes, planner);
  if (!slot.in_sandbox) return;  // it goes with its old sandbox
  if (slot.Running()) return PlanRunning(shape, slot, planner);
  if (const Failure* failure = planner.FailureOf("container " + slot.name)) {
    planner.Wait(slot.name, "RunContainerError", std::string(failure->status.message()));
  }
  planner.Add(
      StartContainer{slot.name, slot.current->id,
                     CheckOf(shape.context(), slot.spec, slot.spec["lifecycle"]["postStart"])});
}

void PlanContainers(const PodShape& shape, const Blocked& volumes, Planner& planner) {
  const bool initialized = shape.Initialized();
  for (const Slot& slot : shape.init()) {
    if (slot.role == Role::kInit) {
      if (initialized || (slot.in_sandbox && slot.Succeeded())) continue;
      return PlanSlot(shape, slot, volumes, planner);
    }
    PlanSlot(shape, slot, volumes, planner);
    if (!initialized && !shape.Started(slot)) return;
  }
  for (const Slot& slot : shape.apps()) PlanSlot(shape, slot, volumes, planner);
}

// Instances before the last two, and sandboxes before the newest.
void PlanGarbage(const PodShape& shape, Planner& planner) {
  if (!shape.SandboxReady()) return;
  for (const SandboxState& sandbox : planner.input().sandboxes) {
    if (sandbox.id != shape.sandbox()->id) planner.Add(RemoveSandbox{sandbox.id});
  }
  const auto add_old = [&](const Slot& slot) {
    for (const ContainerState& state : planner.input().containers) {
      const bool old = state.name == slot.name && &state != slot.current &&
                       &state != slot.previous && state.phase != ContainerPhase::kRunning;
      if (old) planner.Add(RemoveContainer{state.name, state.id});
    }
  };
  std::for_each(shape.init().begin(), shape.init().end(), add_old);
  std::for_each(shape.apps().begin(), shape.apps().end(), add_old);
}

void ExplainSandbox(const PodShape& shape, Planner& planner) {
  const Failure* failure = planner.FailureOf("sandbox");
  if (failure == nullptr || shape.SandboxReady()) return;
  for (const auto* slots : {&shape.init(), &shape.apps()}) {
    for (const Slot& slot : *slots) {
      if (slot.Running()) continue;
      planner.Wait(slot.name, "ContainerCreating",
                   "the sandbox: " + std::string(failure->status.message()));
    }
  }
}

void AddProbe(const PodShape& shape, const Slot& slot, ProbeKind kind, Planner& planner) {
  if (!ProbeField(slot.spec, kind).Exists()) return;
  Probe probe = ProbeOf(shape.context(), slot.spec, kind);
  if (probe.check.kind == Check::Kind::kNone) return;
  probe.container_id = slot.current->id;
  probe.started_at = slot.current->started_at;
  planner.plan().probes.push_back(std::move(probe));
}

void PlanProbes(const PodShape& shape, bool ending, Planner& planner) {
  if (!shape.SandboxReady()) return;
  for (const auto* slots : {&shape.init(), &shape.apps()}) {
    for (const Slot& slot : *slots) {
      const bool asked = slot.Running() && slot.in_sandbox && slot.role != Role::kInit &&
                         planner.input().memory.starting.count(slot.current->id) == 0;
      if (!asked) continue;
      if (!shape.Started(slot)) {
        if (!ending) AddProbe(shape, slot, ProbeKind::kStartup, planner);
        continue;
      }
      AddProbe(shape, slot, ProbeKind::kReadiness, planner);
      if (!ending) AddProbe(shape, slot, ProbeKind::kLiveness, planner);
    }
  }
}

void PlanRun(const PodShape& shape, Planner& planner) {
  Blocked volumes;
  volumes.blocked = !PlanVolumes(shape, planner, volumes.problem);
  if (!shape.SandboxReady()) {
    PlanSandbox(shape, planner);
    ExplainSandbox(shape, planner);
    return;
  }
  PlanContainers(shape, volumes, planner);
  PlanGarbage(shape, planner);
}

// Ending.

bool HasGroupRunning(const std::vector<Slot>& slots, bool sidecars) {
  return std::any_of(slots.begin(), slots.end(), [sidecars](const Slot& slot) {
    return slot.Running() && (slot.role == Role::kSidecar) == sidecars;
  });
}

void StopGroup(const PodShape& shape, const std::vector<Slot>& slots, base::Duration grace,
               const std::string& reason, Planner& planner) {
  for (const Slot& slot : slots) {
    if (slot.Running() && slot.role != Role::kSidecar) {
      planner.Add(Stop(shape, slot, grace, reason));
    }
  }
}

// Apps and init containers together, then sidecars one by one. False if nothing of them runs.
bool StopSlots(const PodShape& shape, base::Duration grace, const std::string& reason,
               Planner& planner) {
  if (HasGroupRunning(shape.apps(), false) || HasGroupRunning(shape.init(), false)) {
    StopGroup(shape, shape.apps(), grace, reason, planner);
    StopGroup(shape, shape.init(), grace, reason, planner);
    return true;
  }
  for (auto slot = shape.init().rbegin(); slot != shape.init().rend(); ++slot) {
    if (!slot->Running()) continue;
    planner.Add(Stop(shape, *slot, grace, reason));
    return true;
  }
  return false;
}

// True if the signal has to wait for the nodes' service rules.
bool Drains(const PodInput& input, base::Duration grace, Planner& planner) {
  if (input.removal_programmed || !input.memory.stopping_since) return false;
  const base::Duration left =
      *input.memory.stopping_since + DrainLimit(grace) - input.now.monotonic;
  if (left <= base::Duration()) return false;
  planner.Again(left);
  return true;
}

bool IsUnderWay(const PodMemory& memory, std::string_view kind) {
  return std::any_of(memory.under_way.begin(), memory.under_way.end(),
                     [kind](const auto& entry) { return entry.first.starts_with(kind); });
}

// All of it goes, once nothing runs.
void PlanRemoval(const PodInput& input, std::vector<std::string> directories, Planner& planner) {
  for (const SandboxState& sandbox : input.sandboxes) planner.Add(RemoveSandbox{sandbox.id});
  if (!input.sandboxes.empty()) return;
  for (const ContainerState& state : input.containers) {
    planner.Add(RemoveContainer{state.name, state.id});
  }
  if (!input.containers.empty() || IsUnderWay(input.memory, "sandbox") ||
      IsUnderWay(input.memory, "container")) {
    return;
  }
  if (!input.memory.volumes_removed) {
    return planner.Add(RemoveVolumes{std::move(directories)});
  }
  planner.plan().finished = true;
}

std::vector<std::string> DirectoriesOf(const PodShape& shape) {
  const PodContext& context = shape.context();
  return {PodDirectory(context.node, context.Uid()),
          PodLogDirectory(context.node, context.Namespace(), context.Name(), context.Uid())};
}

void PlanEnd(const PodShape& shape, bool messages_read, Planner& planner) {
  const PodInput& input = planner.input();
  const bool running = HasGroupRunning(shape.apps(), false) ||
                       HasGroupRunning(shape.init(), false) || HasGroupRunning(shape.init(), true);
  const base::Duration grace = GraceOf(shape.pod(), {});
  if (running && shape.Deleting() && Drains(input, grace, planner)) return;
  const std::string reason = shape.Deleting()       ? "the pod is deleted"
                             : shape.PastDeadline() ? "the pod is past its deadline"
                                                    : "the pod is done";
  if (StopSlots(shape, GraceLeft(input, grace), reason, planner)) return;
  if (!messages_read || IsBeingStarted(input)) return;
  if (shape.Deleting()) return PlanRemoval(input, DirectoriesOf(shape), planner);
  for (const SandboxState& sandbox : input.sandboxes) {
    if (sandbox.ready) planner.Add(StopSandbox{sandbox.id});
  }
}

// A pod that the API does not know (any more): what is known of it stands on its containers.
void PlanUnknown(const PodInput& input, Planner& planner) {
  if (!input.complete) return;
  std::vector<StopContainer> stops;
  base::Duration least = base::Duration::Seconds(kDefaultGraceSeconds);
  for (const ContainerState& state : input.containers) {
    if (state.phase != ContainerPhase::kRunning) continue;
    const base::Duration grace = std::max(
        kMinGrace,
        base::Duration::Seconds(IntAnnotation(state, kGraceAnnotation, kDefaultGraceSeconds)));
    least = std::min(least, grace);
    stops.push_back({state.name, state.id, GraceLeft(input, grace), Check(), "its pod is gone"});
  }
  if (!stops.empty()) {
    if (Drains(input, least, planner)) return;
    for (StopContainer& stop : stops) planner.Add(std::move(stop));
    return;
  }
  if (IsBeingStarted(input)) return;
  std::vector<std::string> directories = {PodDirectory(input.node, input.uid)};
  if (!input.name.empty()) {
    directories.push_back(PodLogDirectory(input.node, input.ns, input.name, input.uid));
  }
  PlanRemoval(input, std::move(directories), planner);
}

bool IsEnding(const PodShape& shape) {
  bool failed = false;
  return shape.Deleting() || shape.PastDeadline() || shape.Done(&failed) ||
         manifests::HasEnded(shape.pod()) ||
         manifests::IsEndedPhase(shape.last_status()["phase"].AsString());
}

template <typename T>
void ForgetAllBut(const std::set<std::string>& ids, T& remembered) {
  for (auto it = remembered.begin(); it != remembered.end();) {
    if constexpr (requires { it->first; }) {
      it = ids.count(it->first) != 0 ? std::next(it) : remembered.erase(it);
    } else {
      it = ids.count(*it) != 0 ? std::next(it) : remembered.erase(it);
    }
  }
}

}  // namespace

base::Duration DrainLimit(base::Duration grace) {
  return std::min(kDrainLimit, base::Duration::Nanos(grace.nanos() / 2));
}

PodPlan PlanPod(const PodInput& input) {
  Planner planner(input);
  if (input.pod == nullptr) {
    PlanUnknown(input, planner);
    return std::move(planner.plan());
  }
  const PodShape shape(input);
  const bool ending = IsEnding(shape);
  const bool messages_read = ReadMessages(input, planner);
  if (ending) {
    PlanEnd(shape, messages_read, planner);
  } else {
    PlanRun(shape, planner);
    if (const auto left = shape.UntilDeadline()) planner.Again(*left);
  }
  PlanProbes(shape, ending, planner);
  planner.plan().report = messages_read;
  planner.plan().status = BuildPodStatus(shape, planner.waiting(), ending);
  return std::move(planner.plan());
}

void Observe(const PodInput& input, PodMemory& memory) {
  std::set<std::string> ids;
  for (const ContainerState& state : input.containers) {
    ids.insert(state.id);
    if (state.phase == ContainerPhase::kExited || state.phase == ContainerPhase::kUnknown) {
      memory.exits.emplace(state.id, input.now.monotonic);
    }
  }
  ForgetAllBut(ids, memory.exits);
  ForgetAllBut(ids, memory.probes);
  ForgetAllBut(ids, memory.messages);
  ForgetAllBut(ids, memory.starting);
  ForgetAllBut(ids, memory.hook_failed);
  const bool unwanted = input.pod == nullptr ? input.complete : input.pod->Deleting();
  if (!unwanted) memory.stopping_since.reset();
  if (unwanted && !memory.stopping_since) memory.stopping_since = input.now.monotonic;
}

}  // namespace nodeagent
