#include "plumb/reports/wait_verdict.h"

#include "gitsync/plan/application.h"
#include "manifests/kinds/conditions.h"

namespace plumb {
namespace {

using gitsync::DeployPhase;

// Why a deploy has not ended, as the condition Ready says.
std::string Progress(const base::Json& status) {
  const base::Json& ready = manifests::ConditionOf(status, "Ready");
  return ready["status"].AsString() == "True" ? "" : std::string(ready["message"].AsString());
}

}  // namespace

WaitVerdict JudgeDeploy(const base::Json& kustomization, const std::string& commit,
                        const std::function<bool(const std::string&)>& contains) {
  const base::Document object(kustomization);
  const std::string stopped = gitsync::StoppedBecause(object.root());
  const std::string failure = "not applied: " + stopped;
  const std::vector<gitsync::Deploy> history = gitsync::HistoryOf(object.root()["status"]);
  for (const gitsync::Deploy& deploy : history) {
    const std::string deployed = deploy.commit();
    if (!deployed.starts_with(commit)) continue;
    if (!deploy.ended() && !stopped.empty()) return {true, deployed, DeployPhase::kFailed, failure};
    if (commit.empty() && !stopped.empty()) break;  // what was pushed since was left out
    return {true, deployed, deploy.phase,
            deploy.ended() ? deploy.message : Progress(kustomization["status"])};
  }
  for (const gitsync::Deploy& deploy : history) {
    const std::string deployed = deploy.commit();
    if (deploy.tree.empty() || !contains(deployed)) continue;
    return {true, commit, DeployPhase::kSuperseded, "deployed as part of " + deployed};
  }
  if (!stopped.empty()) return {true, commit, DeployPhase::kFailed, failure};
  return {.commit = commit};
}

SyncVerdict JudgeSync(const base::Json& kustomization, std::string_view value) {
  const base::Json& metadata = kustomization["metadata"];
  const base::Json& status = kustomization["status"];
  const std::string_view handled = status["lastHandledReconcileAt"].AsString();
  const std::string_view newest =
      metadata["annotations"][gitsync::kRequestedAnnotation].AsString(value);
  if (handled == value || handled == newest) {
    const base::Json& ready = manifests::ConditionOf(status, "Ready");
    return {true, ready["status"].AsString("True") == "True",
            std::string(ready["message"].AsString("nothing was pushed yet"))};
  }
  if (!kustomization["spec"]["suspend"].AsBool()) return {};
  const base::Document object(kustomization);
  return {true, false, "not applied: " + gitsync::StoppedBecause(object.root())};
}

int ExitCodeOf(DeployPhase phase) {
  if (phase == DeployPhase::kFailed) return 1;
  return phase == DeployPhase::kSuperseded ? 2 : 0;
}

}  // namespace plumb
