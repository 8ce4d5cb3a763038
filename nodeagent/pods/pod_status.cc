// Rules (Kubernetes documentation, "Pod Lifecycle"):
// - Pending until every app has run at least once; Running until all have ended for good and
//   nothing runs any more; then Succeeded, or Failed if any app failed, an init container failed
//   for good, or the deadline passed. Succeeded and Failed are final.
// - A deleted pod becomes final, too, once its containers have ended.
// - Conditions keep their transition time while their status stays; those that are not the agent's
//   are kept as the API has them, and the readiness gates among them count for Ready.
// - A container that ended and will run again is waiting; how it ended is its last state.
#include "nodeagent/pods/pod_status.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "manifests/kinds/conditions.h"
#include "manifests/kinds/pod.h"
#include "manifests/kinds/pod_resources.h"
#include "nodeagent/pods/container_config.h"

namespace nodeagent {
namespace {

using base::Json;

constexpr std::string_view kOwnConditions[] = {"PodReadyToStartContainers", "Initialized", "Ready",
                                               "ContainersReady", "PodScheduled"};

void SetTime(std::string_view field, base::WallTime time, Json& json) {
  if (!time.IsZero()) json.Set(field, time.ToString());
}

Json Terminated(const PodShape& shape, const ContainerState& state) {
  Json json = Json::MakeObject({{"exitCode", int64_t{state.exit_code}}});
  SetTime("startedAt", state.started_at, json);
  SetTime("finishedAt", state.finished_at, json);
  std::string reason = state.reason;
  if (state.phase == ContainerPhase::kUnknown) reason = "ContainerStatusUnknown";
  if (reason.empty()) reason = state.exit_code == 0 ? "Completed" : "Error";
  json.Set("reason", reason);
  const auto& messages = shape.input().memory.messages;
  const auto said = messages.find(state.id);
  const std::string& message =
      said == messages.end() || said->second.empty() ? state.message : said->second;
  if (!message.empty()) json.Set("message", message);
  if (!state.id.empty()) {
    json.Set("containerID", shape.input().node.runtime_name + "://" + state.id);
  }
  return Json::MakeObject({{"terminated", std::move(json)}});
}

Json WaitingState(const PodShape& shape, const Slot& slot,
                  const std::map<std::string, Waiting>& waiting) {
  const auto known = waiting.find(slot.name);
  Waiting why{
      shape.Initialized() || slot.role != Role::kApp ? "ContainerCreating" : "PodInitializing", ""};
  if (slot.role != Role::kApp && !slot.in_sandbox) why.reason = "PodInitializing";
  if (known != waiting.end()) why = known->second;
  Json json = Json::MakeObject({{"reason", why.reason}});
  if (!why.message.empty()) json.Set("message", why.message);
  return Json::MakeObject({{"waiting", std::move(json)}});
}

// How the instance before the current one ended.
Json LastState(const PodShape& shape, const Slot& slot) {
  if (slot.previous != nullptr) return Terminated(shape, *slot.previous);
  const Json& last = slot.last_status;
  const std::string id =
      slot.current == nullptr ? "" : shape.input().node.runtime_name + "://" + slot.current->id;
  const Json& ended = last["containerID"].AsString() == id ? last["lastState"] : last["state"];
  if (ended["terminated"].IsObject()) return ended;
  return last["lastState"].IsObject() ? last["lastState"] : Json::MakeObject();
}

Json ContainerStatus(const PodShape& shape, const Slot& slot,
                     const std::map<std::string, Waiting>& waiting, bool ending) {
  const ContainerState* current = slot.current;
  const bool again = slot.Ended() && !ending && shape.WantsRestart(slot);
  Json state, last_state = LastState(shape, slot);
  if (slot.Running()) {
    Json running = Json::MakeObject();
    SetTime("startedAt", current->started_at, running);
    state = Json::MakeObject({{"running", std::move(running)}});
  } else if (slot.Ended() && (!again || waiting.count(slot.name) == 0)) {
    state = Terminated(shape, *current);
  } else {
    state = WaitingState(shape, slot, waiting);
    if (slot.Ended()) last_state = Terminated(shape, *current);
  }
  Json json = Json::MakeObject({{"name", slot.name},
                                {"image", slot.spec["image"].AsString()},
                                {"imageID", current == nullptr ? "" : current->image_id},
                                {"ready", shape.Ready(slot)},
                                {"started", shape.Started(slot)},
                                {"state", std::move(state)},
                                {"lastState", std::move(last_state)}});
  json.Set("restartCount", current == nullptr ? slot.last_status["restartCount"].AsInt()
                                              : int64_t{current->attempt});
  if (current != nullptr && !current->id.empty()) {
    json.Set("containerID", shape.input().node.runtime_name + "://" + current->id);
  }
  return json;
}

bool AnyRuns(const PodShape& shape) {
  const std::vector<ContainerState>& all = shape.input().containers;
  return IsBeingStarted(shape.input()) ||
         std::any_of(all.begin(), all.end(), [](const ContainerState& state) {
           return state.phase == ContainerPhase::kRunning;
         });
}

bool HasRun(const Slot& slot) {
  return slot.Running() || slot.Ended() || slot.previous != nullptr ||
         slot.last_status["lastState"]["terminated"].IsObject();
}

std::string PhaseOf(const PodShape& shape, bool ending) {
  const std::string_view last = shape.last_status()["phase"].AsString();
  for (const std::string_view phase : {shape.pod()["status"]["phase"].AsString(), last}) {
    if (manifests::IsEndedPhase(phase)) return std::string(phase);
  }
  bool failed = false;
  const bool done = shape.Done(&failed);
  const bool all_have_run = std::all_of(shape.apps().begin(), shape.apps().end(), HasRun);
  if (!AnyRuns(shape)) {
    if (shape.PastDeadline()) return "Failed";
    if (done) return failed ? "Failed" : "Succeeded";
    if (ending && all_have_run) {
      const bool clean = std::all_of(shape.apps().begin(), shape.apps().end(),
                                     [](const Slot& slot) { return slot.Succeeded(); });
      return clean ? "Succeeded" : "Failed";
    }
  }
  if (ending && last == "Running") return "Running";
  return all_have_run ? "Running" : "Pending";
}

struct PodCondition {
  std::string_view type;
  bool holds = false;
  std::string reason, message;  // of one that does not hold
};

std::string Unready(const std::vector<const Slot*>& slots) {
  std::string names;
  for (const Slot* slot : slots) names += (names.empty() ? "" : " ") + slot->name;
  return "[" + names + "]";
}

bool GateIsOpen(const PodShape& shape, std::string_view type) {
  return manifests::ConditionIs(shape.pod()["status"], type, "True");
}

bool HeldBefore(const PodShape& shape, std::string_view type) {
  return manifests::ConditionIs(shape.last_status(), type, "True");
}

PodCondition InitializedOf(const PodShape& shape, bool ending) {
  std::vector<const Slot*> incomplete;
  for (const Slot& slot : shape.init()) {
    const bool done = slot.role == Role::kInit ? slot.Succeeded() : shape.Started(slot);
    if (!done) incomplete.push_back(&slot);
  }
  const bool holds =
      incomplete.empty() || shape.Initialized() || (ending && HeldBefore(shape, "Initialized"));
  return {"Initialized", holds, "ContainersNotInitialized",
          "containers with incomplete status: " + Unready(incomplete)};
}

PodCondition ContainersReadyOf(const PodShape& shape, std::string_view phase) {
  std::vector<const Slot*> unready;
  for (const Slot& slot : shape.init()) {
    if (slot.role == Role::kSidecar && !shape.Ready(slot)) unready.push_back(&slot);
  }
  for (const Slot& slot : shape.apps()) {
    if (!shape.Ready(slot)) unready.push_back(&slot);
  }
  const std::string message = "containers with unready status: " + Unready(unready);
  if (phase == "Succeeded") return {"ContainersReady", false, "PodCompleted", ""};
  if (phase == "Failed") return {"ContainersReady", false, "PodFailed", message};
  return {"ContainersReady", unready.empty() && shape.Initialized(), "ContainersNotReady", message};
}

PodCondition ReadyOf(const PodShape& shape, PodCondition ready) {
  ready.type = "Ready";
  if (!ready.holds) return ready;
  for (base::Value gate : shape.pod()["spec"]["readinessGates"].Elements()) {
    const std::string_view type = gate["conditionType"].AsString();
    if (GateIsOpen(shape, type)) continue;
    ready.holds = false;
    ready.reason = "ReadinessGatesNotReady";
    ready.message = "the condition \"" + std::string(type) + "\" of its readiness gate is not True";
  }
  return ready;
}

Json ConditionJson(const PodShape& shape, const PodCondition& condition) {
  const char* status = condition.holds ? "True" : "False";
  Json since =
      manifests::HeldSince(shape.last_status(), condition.type, status, shape.input().now.wall);
  Json json = Json::MakeObject(
      {{"type", condition.type}, {"status", status}, {"lastTransitionTime", std::move(since)}});
  if (!condition.holds && !condition.reason.empty()) json.Set("reason", condition.reason);
  if (!condition.holds && !condition.message.empty()) json.Set("message", condition.message);
  return json;
}

Json Conditions(const PodShape& shape, std::string_view phase, bool ending) {
  const PodCondition containers_ready = ContainersReadyOf(shape, phase);
  Json conditions = Json::MakeArray();
  for (const PodCondition& condition :
       {PodCondition{"PodReadyToStartContainers", shape.SandboxReady(), "", ""},
        InitializedOf(shape, ending), ReadyOf(shape, containers_ready), containers_ready,
        PodCondition{"PodScheduled", true, "", ""}}) {
    conditions.Append(ConditionJson(shape, condition));
  }
  for (base::Value foreign : shape.pod()["status"]["conditions"].Elements()) {
    const std::string_view type = foreign["type"].AsString();
    if (std::find(std::begin(kOwnConditions), std::end(kOwnConditions), type) ==
        std::end(kOwnConditions)) {
      conditions.Append(foreign.ToJson());
    }
  }
  return conditions;
}

void SetAddresses(const PodShape& shape, bool ending, Json& status) {
  const std::string& host = shape.input().node.ip;
  status.Set("hostIP", host);
  status.Set("hostIPs", Json::MakeArray({Json::MakeObject({{"ip", host}})}));
  std::string ip = shape.SandboxReady() ? shape.context().ip : "";
  if (ip.empty() && ending) ip = shape.last_status()["podIP"].AsString();
  if (ip.empty()) return;
  status.Set("podIP", ip);
  status.Set("podIPs", Json::MakeArray({Json::MakeObject({{"ip", ip}})}));
}

void SetReason(const PodShape& shape, std::string_view phase, Json& status) {
  const base::Value told = shape.pod()["status"];
  if (shape.PastDeadline() && phase == "Failed") {
    status.Set("reason", "DeadlineExceeded");
    status.Set("message", "the pod was active on its node longer than activeDeadlineSeconds");
  } else if (manifests::IsEndedPhase(told["phase"].AsString())) {
    for (const char* field : {"reason", "message"}) {
      if (told[field].Exists()) status.Set(field, told[field].ToJson());
    }
  }
}

}  // namespace

base::Json BuildPodStatus(const PodShape& shape, const std::map<std::string, Waiting>& waiting,
                          bool ending) {
  const std::string phase = PhaseOf(shape, ending);
  const Json& last = shape.last_status();
  Json status =
      Json::MakeObject({{"phase", phase}, {"qosClass", manifests::QosClass(shape.pod()["spec"])}});
  status.Set("startTime", last["startTime"].IsString() ? last["startTime"]
                                                       : Json(shape.input().now.wall.ToString()));
  if (const base::Value generation = shape.pod()["metadata"]["generation"]; generation.Exists()) {
    status.Set("observedGeneration", generation.AsInt());
  }
  SetAddresses(shape, ending, status);
  SetReason(shape, phase, status);
  status.Set("conditions", Conditions(shape, phase, ending));
  Json apps = Json::MakeArray(), init = Json::MakeArray();
  for (const Slot& slot : shape.apps()) {
    apps.Append(ContainerStatus(shape, slot, waiting, ending));
  }
  for (const Slot& slot : shape.init()) {
    init.Append(ContainerStatus(shape, slot, waiting, ending));
  }
  status.Set("containerStatuses", std::move(apps));
  if (!init.empty()) status.Set("initContainerStatuses", std::move(init));
  return status;
}

}  // namespace nodeagent
