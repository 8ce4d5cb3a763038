#include "plumb/reports/wait_verdict.h"

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
  const base::Document status(kustomization["status"]);
  WaitVerdict verdict{.commit = commit};
  const std::vector<gitsync::Deploy> history = gitsync::HistoryOf(status.root());
  for (const gitsync::Deploy& deploy : history) {
    const std::string deployed = deploy.commit();
    if (!deployed.starts_with(commit)) continue;
    verdict = {true, deployed, deploy.phase, deploy.message};
    if (deploy.phase == DeployPhase::kProgressing) {
      verdict.message = Progress(kustomization["status"]);
    }
    return verdict;
  }
  for (const gitsync::Deploy& deploy : history) {
    const std::string deployed = deploy.commit();
    if (deploy.tree.empty() || !contains(deployed)) continue;
    return {true, commit, DeployPhase::kSuperseded, "deployed as part of " + deployed};
  }
  return verdict;
}

int ExitCodeOf(DeployPhase phase) {
  if (phase == DeployPhase::kFailed) return 1;
  return phase == DeployPhase::kSuperseded ? 2 : 0;
}

}  // namespace plumb
