#include "reconciler/controllers/deployment_status.h"

#include <algorithm>
#include <string>

#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr std::string_view kNewSetAvailable = "NewReplicaSetAvailable";
constexpr std::string_view kDeadlineExceeded = "ProgressDeadlineExceeded";

int64_t Count(const base::Json& status, std::string_view field) { return status[field].AsInt(); }

// More new pods, fewer old ones, or more that are ready or available.
bool Progressed(const base::Json& status, base::Value before) {
  const auto old_pods = [](int64_t all, int64_t updated) { return all - updated; };
  return Count(status, "updatedReplicas") > before["updatedReplicas"].AsInt() ||
         old_pods(Count(status, "replicas"), Count(status, "updatedReplicas")) <
             old_pods(before["replicas"].AsInt(), before["updatedReplicas"].AsInt()) ||
         Count(status, "readyReplicas") > before["readyReplicas"].AsInt() ||
         Count(status, "availableReplicas") > before["availableReplicas"].AsInt();
}

}  // namespace

void SetDeploymentCondition(base::Json& status, std::string_view type, std::string_view value,
                            std::string_view reason, std::string_view message, base::WallTime now,
                            bool refresh) {
  const base::Json& old = ConditionOf(status, type);
  const bool same = old["status"].AsString() == value && old["reason"].AsString() == reason &&
                    old["message"].AsString() == message;
  if (same && !refresh) return;
  SetCondition(status, type, value, reason, message, now).Set("lastUpdateTime", now.ToString());
}

std::optional<base::Duration> ProgressDeadline(const state::Object& deployment) {
  const base::Value seconds = deployment["spec"]["progressDeadlineSeconds"];
  if (!seconds.Exists() || seconds.AsInt() == INT32_MAX) return std::nullopt;  // MaxInt32: never
  return base::Duration::Seconds(seconds.AsInt());
}

void CountReplicas(base::Json& status, const state::Object& deployment,
                   const state::ObjectPtr& new_set, const std::vector<state::ObjectPtr>& sets) {
  int64_t replicas = 0, wanted = 0, ready = 0, available = 0;
  for (const state::ObjectPtr& set : sets) {
    wanted += (*set)["spec"]["replicas"].AsInt();
    replicas += (*set)["status"]["replicas"].AsInt();
    ready += (*set)["status"]["readyReplicas"].AsInt();
    available += (*set)["status"]["availableReplicas"].AsInt();
  }
  status.Set("observedGeneration", deployment.Generation());
  status.Set("replicas", replicas);
  status.Set("updatedReplicas", new_set ? (*new_set)["status"]["replicas"].AsInt() : int64_t{0});
  status.Set("readyReplicas", ready);
  status.Set("availableReplicas", available);
  status.Set("unavailableReplicas", std::max<int64_t>(wanted - available, 0));
}

void JudgeAvailability(base::Json& status, const RolloutLimits& limits,
                       const state::ObjectPtr& new_set, const std::vector<state::ObjectPtr>& sets,
                       base::WallTime now) {
  if (Count(status, "availableReplicas") >= limits.least()) {
    SetDeploymentCondition(status, "Available", "True", "MinimumReplicasAvailable",
                           "Deployment has minimum availability.", now);
  } else {
    SetDeploymentCondition(status, "Available", "False", "MinimumReplicasUnavailable",
                           "Deployment does not have minimum availability.", now);
  }
  // The new set's failure says more than an old one's.
  base::Value failure =
      new_set ? ConditionOf((*new_set)["status"], "ReplicaFailure") : base::Value();
  for (const state::ObjectPtr& set : sets) {
    if (!failure.Exists()) failure = ConditionOf((*set)["status"], "ReplicaFailure");
  }
  if (!failure.Exists()) return RemoveCondition(status, "ReplicaFailure");
  SetDeploymentCondition(status, "ReplicaFailure", failure["status"].AsString(),
                         failure["reason"].AsString(), failure["message"].AsString(), now);
}

bool IsComplete(const base::Json& status, const RolloutLimits& limits) {
  return Count(status, "updatedReplicas") == limits.replicas &&
         Count(status, "replicas") == limits.replicas &&
         Count(status, "availableReplicas") == limits.replicas;
}

std::optional<base::Duration> JudgeProgress(base::Json& status, base::Value before,
                                            const state::Object& deployment,
                                            const RolloutLimits& limits,
                                            const state::ObjectPtr& new_set, base::WallTime now) {
  const std::optional<base::Duration> deadline = ProgressDeadline(deployment);
  if (!deadline) {
    RemoveCondition(status, "Progressing");
    return std::nullopt;
  }
  const std::string subject = new_set ? "ReplicaSet \"" + new_set->key.name + "\""
                                      : "Deployment \"" + deployment.key.name + "\"";
  const std::string reason(ConditionOf(status, "Progressing")["reason"].AsString());
  // A rollout that is over stays so, even when pods come and go.
  const bool over =
      reason == kNewSetAvailable && Count(status, "replicas") == Count(status, "updatedReplicas");
  if (over) return std::nullopt;
  if (IsComplete(status, limits)) {
    SetDeploymentCondition(status, "Progressing", "True", kNewSetAvailable,
                           subject + " has successfully progressed.", now);
    return std::nullopt;
  }
  if (Progressed(status, before)) {
    SetDeploymentCondition(status, "Progressing", "True", "ReplicaSetUpdated",
                           subject + " is progressing.", now, true);
    return *deadline + base::Duration::Seconds(1);
  }
  if (reason.empty() || reason == kNewSetAvailable || reason == kDeadlineExceeded)
    return std::nullopt;
  const auto since =
      base::WallTime::Parse(ConditionOf(status, "Progressing")["lastUpdateTime"].AsString());
  const base::Duration left =
      since.ok() ? *since + *deadline - now : base::Duration() - base::Duration::Seconds(1);
  // Times in objects are whole seconds: one more makes sure that the deadline has passed.
  if (left >= base::Duration()) return left + base::Duration::Seconds(1);
  SetDeploymentCondition(status, "Progressing", "False", kDeadlineExceeded,
                         subject + " has timed out progressing.", now);
  return std::nullopt;
}

}  // namespace reconciler
