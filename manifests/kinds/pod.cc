// STATUS is the phase, unless something says more: the status's reason (Evicted), closed scheduling
// gates, the first init container that has not done its part ("Init:..."), else the first container
// that waits or has ended with a reason. A pod with a running container is not "Completed".
// Deletion wins over all of it. Only terminal phases outlast deletion.
// RESTARTS counts the containers that restart in the stage the pod is in: init containers while it
// initializes, afterwards its containers and sidecars.
// A deletion leaves a pod that runs its grace period; one that does not run goes at once.
#include "manifests/kinds/pod.h"

#include "manifests/kinds/cells.h"
#include "manifests/kinds/conditions.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {

using base::Json;
using base::Value;
using base::WallTime;

bool IsEndedPhase(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

bool HasEnded(Value pod) { return IsEndedPhase(pod["status"]["phase"].AsString()); }

bool IsActivePod(Value pod) {
  return !pod["metadata"]["deletionTimestamp"].IsString() && !HasEnded(pod);
}

bool IsReadyPod(Value pod) { return ConditionIs(pod["status"], "Ready", "True"); }

bool IsRunningPod(Value pod) {
  return !pod["spec"]["nodeName"].AsString().empty() && !HasEnded(pod);
}

Value PodSpecOf(Value object) {
  const Value spec = object["spec"];
  if (object["kind"].AsString() == "Pod") return spec;
  const Value job = spec["jobTemplate"]["spec"]["template"]["spec"];
  return job.Exists() ? job : spec["template"]["spec"];
}

const Json& PodSpecOf(const Json& object) {
  const Json& spec = object["spec"];
  if (object["kind"].AsString() == "Pod") return spec;
  const Json& job = spec["jobTemplate"]["spec"]["template"]["spec"];
  return job.IsNull() ? spec["template"]["spec"] : job;
}

namespace {

Value Named(Value list, std::string_view name) {
  for (const Value element : list.Elements()) {
    if (element["name"].AsString() == name) return element;
  }
  return {};
}

Health PodHealth(Value pod) {
  using Level = Health::Level;
  const Value status = pod["status"];
  const std::string_view phase = status["phase"].AsString("Pending");
  if (phase == "Succeeded") return {Level::kHealthy, "succeeded"};
  if (phase == "Failed") return {Level::kFailed, std::string(status["reason"].AsString("failed"))};
  if (IsReadyPod(pod)) return {Level::kHealthy, "ready"};
  const Value scheduled = ConditionOf(status, "PodScheduled");
  if (scheduled["status"].AsString() == "False") {
    return {Level::kProgressing, SentenceOf(scheduled)};
  }
  return {Level::kProgressing, phase == "Running" ? "not ready" : "starting"};
}

struct PodSummary {
  int64_t containers = 0;  // those that run beside each other: sidecars included
  int64_t ready = 0;
  int64_t restarts = 0;
  std::string last_restart;  // RFC 3339; empty: none known
  std::string status;
};

bool IsSidecar(Value pod, std::string_view init_container) {
  return Named(pod["spec"]["initContainers"], init_container)["restartPolicy"].AsString() ==
         "Always";
}

// Times of equal form and zone, so that text order is time order.
void KeepLater(std::string_view time, std::string& latest) {
  if (time > latest) latest = time;
}

std::string EndReason(Value terminated) {
  const std::string_view reason = terminated["reason"].AsString();
  if (!reason.empty()) return std::string(reason);
  const int64_t signal = terminated["signal"].AsInt();
  if (signal != 0) return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(terminated["exitCode"].AsInt());
}

// Why the pod's init container number `index` holds it back; empty if it does not.
std::string HoldsBack(Value pod, Value container, bool sidecar, size_t index) {
  const Value terminated = container["state"]["terminated"];
  if (terminated.IsObject() && terminated["exitCode"].AsInt() == 0) return "";
  if (sidecar && container["started"].AsBool()) return "";
  if (terminated.IsObject()) return "Init:" + EndReason(terminated);
  const std::string_view waiting = container["state"]["waiting"]["reason"].AsString();
  if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + std::string(waiting);
  return "Init:" + std::to_string(index) + "/" +
         std::to_string(pod["spec"]["initContainers"].size());
}

// Returns whether the pod still initializes. Restarts of sidecars go to `sidecars` too.
bool SummarizeInit(Value pod, PodSummary& summary, PodSummary& sidecars) {
  size_t index = 0;
  for (const Value container : pod["status"]["initContainerStatuses"].Elements()) {
    const bool sidecar = IsSidecar(pod, container["name"].AsString());
    const int64_t restarts = container["restartCount"].AsInt();
    const std::string_view ended = container["lastState"]["terminated"]["finishedAt"].AsString();
    summary.restarts += restarts;
    KeepLater(ended, summary.last_restart);
    if (sidecar) {
      sidecars.restarts += restarts;
      KeepLater(ended, sidecars.last_restart);
    }
    std::string reason = HoldsBack(pod, container, sidecar, index++);
    if (!reason.empty()) {
      summary.status = std::move(reason);
      return true;
    }
    if (sidecar && container["ready"].AsBool() && !container["state"]["terminated"].IsObject()) {
      ++summary.ready;
    }
  }
  return false;
}

void SummarizeContainers(Value pod, PodSummary& summary) {
  bool running = false;
  std::string first_reason;
  for (const Value container : pod["status"]["containerStatuses"].Elements()) {
    summary.restarts += container["restartCount"].AsInt();
    KeepLater(container["lastState"]["terminated"]["finishedAt"].AsString(), summary.last_restart);
    const Value state = container["state"];
    std::string reason(state["waiting"]["reason"].AsString());
    if (reason.empty() && state["terminated"].IsObject()) reason = EndReason(state["terminated"]);
    if (reason.empty() && container["ready"].AsBool() && state["running"].IsObject()) {
      running = true;
      ++summary.ready;
    }
    if (first_reason.empty()) first_reason = std::move(reason);
  }
  if (!first_reason.empty()) summary.status = std::move(first_reason);
  if (summary.status == "Completed" && running) {
    summary.status = IsReadyPod(pod) ? "Running" : "NotReady";
  }
}

PodSummary Summarize(Value pod) {
  const Value status = pod["status"];
  const std::string_view phase = status["phase"].AsString();
  const std::string_view reason = status["reason"].AsString();
  PodSummary summary;
  summary.status = reason.empty() ? phase : reason;
  if (ConditionOf(status, "PodScheduled")["reason"].AsString() == "SchedulingGated") {
    summary.status = "SchedulingGated";
  }
  summary.containers = static_cast<int64_t>(pod["spec"]["containers"].size());
  for (const Value container : pod["spec"]["initContainers"].Elements()) {
    if (container["restartPolicy"].AsString() == "Always") ++summary.containers;
  }
  PodSummary sidecars;
  const bool initializing = SummarizeInit(pod, summary, sidecars);
  if (!initializing || ConditionIs(status, "Initialized", "True")) {
    summary.restarts = sidecars.restarts;
    summary.last_restart = std::move(sidecars.last_restart);
    SummarizeContainers(pod, summary);
  }
  if (pod["metadata"]["deletionTimestamp"].IsString()) {
    if (reason == "NodeLost") {
      summary.status = "Unknown";
    } else if (!IsEndedPhase(phase)) {
      summary.status = "Terminating";
    }
  }
  return summary;
}

Json PodReady(Value pod, WallTime) {
  const PodSummary summary = Summarize(pod);
  return std::to_string(summary.ready) + "/" + std::to_string(summary.containers);
}

Json PodStatus(Value pod, WallTime) { return Summarize(pod).status; }

Json PodRestarts(Value pod, WallTime now) {
  const PodSummary summary = Summarize(pod);
  std::string text = std::to_string(summary.restarts);
  if (summary.restarts != 0 && !summary.last_restart.empty()) {
    text += " (" + AgeOf(summary.last_restart, now) + " ago)";
  }
  return text;
}

Json PodReadinessGates(Value pod, WallTime) {
  int64_t gates = 0, passed = 0;
  for (const Value gate : pod["spec"]["readinessGates"].Elements()) {
    ++gates;
    if (ConditionIs(pod["status"], gate["conditionType"].AsString(), "True")) ++passed;
  }
  if (gates == 0) return kNoneCell;
  return std::to_string(passed) + "/" + std::to_string(gates);
}

constexpr NamedCell kCells[] = {
    {"podReadinessGates", PodReadinessGates},
    {"podReady", PodReady},
    {"podRestarts", PodRestarts},
    {"podStatus", PodStatus},
};

std::vector<std::string> PodNotes(Value pod) {
  std::vector<std::string> notes;
  for (const Value note : {pod["spec"]["nodeName"], pod["status"]["podIP"]}) {
    if (note.IsString()) notes.emplace_back(note.AsString());
  }
  int64_t restarts = 0;
  for (const Value container : pod["status"]["containerStatuses"].Elements()) {
    restarts += container["restartCount"].AsInt();
  }
  if (restarts > 0) {
    notes.push_back(std::to_string(restarts) + (restarts == 1 ? " restart" : " restarts"));
  }
  return notes;
}

// The quota names that count a pod's `field` ("requests" or "limits") of a resource.
template <typename V>
void AddAmounts(const V& spec, const std::string& field, ResourceList& amounts) {
  for (const auto& [name, amount] : PodResources(spec, field)) {
    Quantity& sum = amounts[field + "." + name];
    sum = sum + amount;
    if (field == "requests" && (name == "cpu" || name == "memory" || name == "ephemeral-storage")) {
      amounts[name] = amounts[name] + amount;
    }
  }
}

template <typename V>
void PodQuotaAmounts(const V& pod, ResourceList& amounts) {
  AddAmounts(pod["spec"], "requests", amounts);
  AddAmounts(pod["spec"], "limits", amounts);
}

std::optional<PodDemand> ItsPod(Value pod) {
  if (HasEnded(pod)) return std::nullopt;
  return PodDemand{pod["spec"]};
}

std::optional<int64_t> GraceSeconds(Value pod) {
  if (!IsRunningPod(pod)) return std::nullopt;
  return pod["spec"]["terminationGracePeriodSeconds"].AsInt(30);
}

}  // namespace

extern constinit const KindFacts kPodFacts = {
    .resource = "pods",
    .health = PodHealth,
    .lifecycle = {.first_phase = "Pending", .grace_seconds = GraceSeconds},
    .references = {PodReferences<Value>, PodReferences<Json>},
    .adoptable = true,
    .selectable = true,
    .pods = ItsPod,
    .short_quota = true,
    .quota_amounts = {PodQuotaAmounts<Value>, PodQuotaAmounts<Json>},
    .cells = kCells,
    .notes = PodNotes,
};

}  // namespace manifests
