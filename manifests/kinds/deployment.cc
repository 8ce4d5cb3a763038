// A Deployment has failed when its condition Progressing is False (the deadline passed), and is
// healthy when all replicas are updated and available and none of an older version is left.
#include "manifests/kinds/conditions.h"
#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/workload.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

constexpr int64_t kPatience = 600;  // seconds, unless it says otherwise

Health DeploymentHealth(Value deployment) {
  using Level = Health::Level;
  const Value spec = deployment["spec"], status = deployment["status"];
  if (spec["paused"].AsBool()) return {Level::kProgressing, "paused"};
  const Value progressing = ConditionOf(status, "Progressing");
  // Why no pod can be made: a quota, say.
  const Value failure = ConditionOf(status, "ReplicaFailure");
  const std::string refused =
      failure["status"].AsString() == "True" ? "; " + SentenceOf(failure) : "";
  if (progressing["status"].AsString() == "False") {
    Health failed{Level::kFailed, SentenceOf(progressing) + refused};
    const auto since = WallTime::Parse(progressing["lastTransitionTime"].AsString());
    if (since.ok()) failed.since = *since;
    failed.patience = base::Duration::Seconds(spec["progressDeadlineSeconds"].AsInt(kPatience));
    return failed;
  }
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

Json DeploymentReady(Value deployment, WallTime) {
  return std::to_string(deployment["status"]["readyReplicas"].AsInt()) + "/" +
         std::to_string(deployment["spec"]["replicas"].AsInt());
}

constexpr NamedCell kCells[] = {{"deploymentReady", DeploymentReady}};

}  // namespace

extern constinit const KindFacts kDeploymentFacts = {
    .resource = "deployments.apps",
    .observed = true,
    .health = DeploymentHealth,
    .pods = ReplicasOfTemplate,
    .cells = kCells,
};

}  // namespace manifests
