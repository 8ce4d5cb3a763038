// The history of a repository's deploys: Flux's status.history of its Kustomization, the newest
// first, one entry a revision: where `plumb wait` reads how a deploy ended.
//
// Pure. At most one entry is in progress: a deploy that begins supersedes the one before it. An
// entry has a digest (the tree) once its commit was applied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/json.h"
#include "base/time.h"

namespace gitsync {

inline constexpr size_t kMaxHistory = 50;  // deploys that are remembered
inline constexpr size_t kMaxHistoryMessageBytes = 512;

enum class DeployPhase { kProgressing, kHealthy, kFailed, kSuperseded };
std::string_view PhaseName(DeployPhase phase);  // "progressing", "healthy", ...

struct DeployRecord {
  std::string revision;  // "main@sha1:0123..."
  std::string tree;      // empty until it was applied
  DeployPhase phase = DeployPhase::kProgressing;
  std::string message;  // why it failed, what superseded it
  std::string since;    // of the phase; RFC 3339
};

// The history with `record` in it. A progressing one comes to the front, counts as one more
// reconciliation once its tree is known, and supersedes what progressed; an outcome stays where its
// deploy stands. What says nothing new leaves the history as it is.
base::Json WithDeploy(const base::Json& history, const DeployRecord& record, base::WallTime now);

std::vector<DeployRecord> HistoryOf(base::Value status);

}  // namespace gitsync
