// Deploys, and the history of an application's: Flux's status.history of its Kustomization, the
// newest first, one entry a revision. It is the one record of how deploys ended: `plumb wait`,
// `plumb status`, the status branch, notes and webhooks read it.
//
// Pure. At most one entry is in progress: a deploy that begins supersedes the one before it. An
// entry has a digest (the tree) and a placement once its commit was applied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/time.h"
#include "state/object.h"

namespace gitsync {

using base::OneLine;

inline constexpr size_t kMaxHistory = 50;  // deploys that are remembered
inline constexpr size_t kMaxDeployMessageBytes =
    2048;  // of the newest; what is longer ends in "..."
inline constexpr size_t kMaxHistoryMessageBytes = 512;  // of those before it

enum class DeployPhase { kProgressing, kHealthy, kFailed, kSuperseded };
std::string_view PhaseName(DeployPhase phase);  // "progressing", "healthy", ...

// An application on its way to a revision of its source, or at the end of it.
struct Deploy {
  std::string repository;   // its source
  std::string application;  // often of the repository's name
  std::string revision;     // "main@sha1:0123..."
  std::string tree;         // that was applied; empty until then
  DeployPhase phase = DeployPhase::kProgressing;
  std::string message;        // one line: why it failed, what superseded it
  base::WallTime since;       // of the phase; to the second
  std::string placement;      // where it was taken from and put to; empty: by an earlier plumb
  state::Revision state = 0;  // of the state that says so

  std::string branch() const { return revision.substr(0, revision.find('@')); }
  std::string commit() const { return revision.substr(revision.find(':') + 1); }
  bool ended() const { return phase != DeployPhase::kProgressing; }
  // The same step of the same deploy.
  bool SameAs(const Deploy& other) const {
    return revision == other.revision && phase == other.phase && since == other.since;
  }
};

// The history with `deploy` in it. A progressing one comes to the front, counts as one more
// reconciliation once its tree is known, and supersedes what progressed; an outcome stays where its
// deploy stands. What says nothing new leaves the history as it is.
base::Json WithDeploy(const base::Json& history, const Deploy& deploy, base::WallTime now);

// As the status has them: without the names of repository and application.
std::vector<Deploy> HistoryOf(base::Value status);
// Those of a Kustomization, with all that is known of them.
std::vector<Deploy> DeploysOf(const state::Object& kustomization);
// What ended between two states of a Kustomization (`before` may be null), the oldest first.
std::vector<Deploy> EndedBetween(const state::Object* before, const state::Object& now);

}  // namespace gitsync
