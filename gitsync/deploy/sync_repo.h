// What SyncEngine holds for each repository, and what its parts share: sync_engine.cc (repositories
// and their workers), sync_push.cc (the two ends of a push), sync_deploy.cc (from plan to settled),
// sync_drift.cc (what others change). For these files only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/plan/by_hand.h"

namespace gitsync {

struct SyncEngine::Repo {
  std::string name;
  state::ActorPtr actor;  // each has its own: whose change it is, is told by it

  // Works wait for their turn: GitStore and ParseCache serve one at a time.
  std::deque<std::function<base::Loop::Task()>> works;
  bool busy = false;
  std::shared_ptr<ParseCache> cache = std::make_shared<ParseCache>();

  std::shared_ptr<const ManifestSet> applied;  // the last complete deploy's
  std::shared_ptr<const ManifestSet> checked;  // of the push that was last accepted
  std::string expected;                        // its commit, until its post-receive hook comes
  std::shared_ptr<const ManifestSet> latest;   // read last
  Inventory inventory;                         // as it was read last

  // Deployed objects that changed, and by whomever: since `applied` was applied; since the plan
  // under way looked, without what it wrote itself; since all of them were last found healthy.
  std::set<state::Key> unsure, since_plan, unsettled;
  bool all_settled = false;  // but for `unsettled`

  // What the last plan had to leave: its object was being deleted, or its namespace, or another
  // repository's. Planned again once that has gone.
  std::set<state::Key> left;
  bool again = false;

  // The deploy under way.
  uint64_t epoch = 0;
  bool active = false;
  bool between_waves = false;
  PushOptions options;
  std::shared_ptr<HookSession> session;
  std::shared_ptr<const ManifestSet> set;
  uint32_t failures = 0;
  bool wave_complete = false;
  std::set<state::Key> unhealthy, to_look_at;  // the latter of the former, once health_scheduled
  std::map<state::Key, std::string> told;      // the last progress line of each
  bool health_scheduled = false;

  std::set<state::Key> drifted;
  bool repair_scheduled = false;
};

struct SyncEngine::Reading {
  base::Status status;
  bool nothing = false;  // the branch does not exist yet
  Inventory inventory;
  std::shared_ptr<const ManifestSet> set;
  SyncPlan plan;
};

// As people are shown a commit.
inline std::string ShortCommit(const std::string& commit) { return commit.substr(0, 12); }

std::string DeployRef(const RepositoryState& state);

// `known` brought up to `view`.
base::Result<RepositoryState> ReadState(const state::View& view, const RepositoryState& known);

// To whoever pushes: a line for each, up to kMaxErrorLines; the rest is counted.
inline constexpr size_t kMaxErrorLines = 200;
void PrintErrors(const std::vector<SourceError>& errors, const std::string& prefix,
                 HookSession& session);

}  // namespace gitsync
