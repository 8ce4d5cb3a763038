// The rules, by kind:
//   - being deleted: progressing; status.observedGeneration behind metadata.generation:
//   progressing;
//   - Deployment: failed when its condition Progressing is False (the deadline passed), healthy
//   when
//     all replicas are updated and available and none of an older version is left;
//   - ReplicaSet, ReplicationController: failed on ReplicaFailure, healthy when all replicas are
//     available;
//   - DaemonSet: healthy when on every node that should have one a pod is updated and available
//     (with type OnDelete: when its controller has looked at it);
//   - Pod: healthy when ready or succeeded, failed when failed;
//   - Service of type LoadBalancer: healthy when it has an address; Namespace: when Active;
//   - any other: by its conditions Stalled, Reconciling and Ready, healthy without them.
#include "gitsync/deploy/health.h"

#include <algorithm>

namespace gitsync {
namespace {

using Level = Health::Level;

base::Value ConditionOf(base::Value status, std::string_view type) {
  for (const base::Value condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return base::Value();
}

bool Is(base::Value condition, std::string_view status) {
  return condition["status"].AsString() == status;
}

std::string Sentence(base::Value condition) {
  const std::string reason(condition["reason"].AsString());
  const std::string message(condition["message"].AsString());
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

std::string Share(int64_t part, int64_t whole, const char* what) {
  return std::to_string(part) + "/" + std::to_string(whole) + " " + what;
}

Health DeploymentHealth(const state::Object& object) {
  const base::Value spec = object["spec"], status = object["status"];
  if (spec["paused"].AsBool()) return {Level::kProgressing, "paused"};
  const base::Value progressing = ConditionOf(status, "Progressing");
  // Why no pod can be made: a quota, say.
  const base::Value failure = ConditionOf(status, "ReplicaFailure");
  const std::string refused = Is(failure, "True") ? "; " + Sentence(failure) : "";
  if (Is(progressing, "False")) return {Level::kFailed, Sentence(progressing) + refused};
  const int64_t want = spec["replicas"].AsInt(1);
  const int64_t updated = status["updatedReplicas"].AsInt();
  const int64_t available = status["availableReplicas"].AsInt();
  if (updated < want) return {Level::kProgressing, Share(updated, want, "updated") + refused};
  if (available < want) {
    return {Level::kProgressing, Share(available, want, "available") + refused};
  }
  const int64_t old = status["replicas"].AsInt() - updated;
  if (old > 0) return {Level::kProgressing, std::to_string(old) + " of an older version left"};
  return {Level::kHealthy, Share(available, want, "available")};
}

Health ReplicaSetHealth(const state::Object& object) {
  const base::Value failure = ConditionOf(object["status"], "ReplicaFailure");
  if (Is(failure, "True")) return {Level::kFailed, Sentence(failure)};
  const int64_t want = object["spec"]["replicas"].AsInt(1);
  const int64_t available = object["status"]["availableReplicas"].AsInt();
  return {available < want ? Level::kProgressing : Level::kHealthy,
          Share(available, want, "available")};
}

Health DaemonSetHealth(const state::Object& object) {
  const base::Value status = object["status"];
  if (object["spec"]["updateStrategy"]["type"].AsString() == "OnDelete")
    return {Level::kHealthy, "updated when its pods are deleted"};
  const int64_t want = status["desiredNumberScheduled"].AsInt();
  const int64_t updated = status["updatedNumberScheduled"].AsInt();
  const int64_t available = status["numberAvailable"].AsInt();
  if (updated < want) return {Level::kProgressing, Share(updated, want, "updated")};
  return {available < want ? Level::kProgressing : Level::kHealthy,
          Share(available, want, "available")};
}

Health PodHealth(const state::Object& object) {
  const base::Value status = object["status"];
  const std::string_view phase = status["phase"].AsString("Pending");
  if (phase == "Succeeded") return {Level::kHealthy, "succeeded"};
  if (phase == "Failed") {
    return {Level::kFailed, std::string(status["reason"].AsString("failed"))};
  }
  if (Is(ConditionOf(status, "Ready"), "True")) return {Level::kHealthy, "ready"};
  const base::Value scheduled = ConditionOf(status, "PodScheduled");
  if (Is(scheduled, "False")) return {Level::kProgressing, Sentence(scheduled)};
  return {Level::kProgressing, phase == "Running" ? "not ready" : "starting"};
}

Health ConditionHealth(const state::Object& object) {
  const base::Value status = object["status"];
  const base::Value stalled = ConditionOf(status, "Stalled");
  const base::Value reconciling = ConditionOf(status, "Reconciling");
  const base::Value ready = ConditionOf(status, "Ready");
  if (Is(stalled, "True")) return {Level::kFailed, Sentence(stalled)};
  if (Is(reconciling, "True")) return {Level::kProgressing, Sentence(reconciling)};
  if (Is(ready, "False")) return {Level::kFailed, Sentence(ready)};
  if (Is(ready, "Unknown")) return {Level::kProgressing, Sentence(ready)};
  return {Level::kHealthy, ""};
}

// What one container of a pod says is wrong.
std::string ContainerTrouble(base::Value container) {
  const base::Value waiting = container["state"]["waiting"];
  base::Value ended = container["state"]["terminated"];
  if (!ended.Exists()) ended = container["lastState"]["terminated"];
  const std::string_view reason = waiting["reason"].AsString();
  const bool stuck =
      reason.ends_with("BackOff") || reason.starts_with("Err") || reason.ends_with("Error");
  const bool broke = ended.Exists() && ended["exitCode"].AsInt() != 0;
  if (!stuck && !broke) return "";
  std::string text = "container " + std::string(container["name"].AsString()) + ": ";
  if (stuck) text += reason;
  if (stuck && !broke && waiting["message"].IsString()) {
    text += ": " + std::string(waiting["message"].AsString());
  }
  if (broke) {
    text +=
        std::string(stuck ? ", last exit " : "exit ") + std::to_string(ended["exitCode"].AsInt());
    if (ended["reason"].IsString()) text += " (" + std::string(ended["reason"].AsString()) + ")";
  }
  return text;
}

std::optional<Trouble> TroubleOfPod(const state::ObjectPtr& pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const base::Value container : (*pod)["status"][list].Elements()) {
      if (container["ready"].AsBool()) continue;
      const std::string text = ContainerTrouble(container);
      if (text.empty()) continue;
      Trouble trouble{pod, std::string(container["name"].AsString()),
                      "pod " + pod->key.name + ": " + text};
      trouble.crashed = container["state"]["terminated"].Exists() ||
                        container["lastState"]["terminated"].Exists();
      trouble.previous = container["state"]["running"].Exists();
      return trouble;
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsInert(const state::Key& key) {
  constexpr std::string_view kInert[] = {"configmaps",      "secrets",
                                         "serviceaccounts", "limitranges",
                                         "resourcequotas",  "leases.coordination.k8s.io"};
  return std::find(std::begin(kInert), std::end(kInert), key.resource) != std::end(kInert);
}

Health HealthOf(const state::Object& object, const state::View& view) {
  if (object.Deleting()) return {Level::kProgressing, "being deleted"};
  const base::Value observed = object["status"]["observedGeneration"];
  const std::string& resource = object.key.resource;
  const bool pod_set = resource == "replicasets.apps" || resource == "replicationcontrollers";
  const bool counted = resource == "deployments.apps" || resource == "daemonsets.apps" || pod_set;
  if ((observed.Exists() || counted) && observed.AsInt() < object.Generation()) {
    return {Level::kProgressing, "not yet looked at by its controller"};
  }
  Health health = ConditionHealth(object);
  if (resource == "deployments.apps") health = DeploymentHealth(object);
  if (resource == "daemonsets.apps") health = DaemonSetHealth(object);
  if (pod_set) health = ReplicaSetHealth(object);
  if (resource == "pods") health = PodHealth(object);
  if (resource == "namespaces") health = {Level::kHealthy, "active"};
  if (resource == "services" && object["spec"]["type"].AsString() == "LoadBalancer" &&
      object["status"]["loadBalancer"]["ingress"].empty()) {
    health = {Level::kProgressing, "waits for an address"};
  }
  if (health.level == Level::kHealthy) return health;
  const std::string trouble = PodTrouble(object, view);
  if (!trouble.empty()) health.reason += "; " + trouble;
  return health;
}

std::optional<Trouble> FindTrouble(const state::Object& object, const state::View& view) {
  if (object.key.resource == "pods") {
    const state::ObjectPtr pod = view.Get(object.key);
    return pod == nullptr ? std::nullopt : TroubleOfPod(pod);
  }
  for (const state::ObjectPtr& owned : view.Lookup(state::Index::kOwner, object.Uid())) {
    if (owned->key.resource != "pods" && owned->key.resource != "replicasets.apps") continue;
    if (std::optional<Trouble> trouble = FindTrouble(*owned, view)) return trouble;
  }
  return std::nullopt;
}

std::string PodTrouble(const state::Object& object, const state::View& view) {
  const std::optional<Trouble> trouble = FindTrouble(object, view);
  return trouble ? trouble->text : "";
}

}  // namespace gitsync
