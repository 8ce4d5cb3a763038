#include "plumb/reports/wait_verdict.h"

#include "manifests/kinds/conditions.h"

namespace plumb {
namespace {

using gitsync::DeployPhase;

std::string CommitOf(const std::string& revision) {
  return revision.substr(revision.rfind(':') + 1);
}

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
  const std::vector<gitsync::DeployRecord> history = gitsync::HistoryOf(status.root());
  for (const gitsync::DeployRecord& record : history) {
    const std::string deployed = CommitOf(record.revision);
    if (!deployed.starts_with(commit)) continue;
    verdict = {true, deployed, record.phase, record.message};
    if (record.phase == DeployPhase::kProgressing) {
      verdict.message = Progress(kustomization["status"]);
    }
    return verdict;
  }
  for (const gitsync::DeployRecord& record : history) {
    const std::string deployed = CommitOf(record.revision);
    if (record.tree.empty() || !contains(deployed)) continue;
    return {true, commit, DeployPhase::kSuperseded, "deployed as part of " + deployed};
  }
  return verdict;
}

int ExitCodeOf(DeployPhase phase) {
  if (phase == DeployPhase::kFailed) return 1;
  return phase == DeployPhase::kSuperseded ? 2 : 0;
}

}  // namespace plumb
