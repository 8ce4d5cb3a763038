// What SyncEngine holds for each source and each application, and what its parts share:
// sync_engine.cc (sources, applications and their workers), sync_push.cc (the two ends of a push),
// sync_deploy.cc (from plan to applied), sync_settle.cc (from applied to settled), sync_drift.cc
// (what others change). For these files only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/plan/by_hand.h"

namespace gitsync {

struct SyncEngine::Source {
  std::string name;
  std::set<std::string> applications;

  // Works wait for their turn: GitStore and SourceReader serve one at a time.
  std::deque<std::function<base::Loop::Task()>> works;
  bool busy = false;
  std::shared_ptr<SourceReader> reader;

  std::string expected;  // the commit of the push accepted last, until its post-receive hook comes
};

struct SyncEngine::App {
  std::string name;
  SourcePtr source;        // null while there is none of the name that it gives
  int64_t generation = 0;  // of the Kustomization, followed last
  state::ActorPtr actor;   // each has its own: whose change it is, is told by it

  std::shared_ptr<const ManifestSet> applied;  // the last complete deploy's
  Inventory inventory;                         // as it was read last

  // Deployed objects that changed, and by whomever: since `applied` was applied; since the plan
  // under way looked, without what it wrote itself; since all of them were last found healthy.
  std::set<state::Key> unsure, since_plan, unsettled;
  bool all_settled = false;  // but for `unsettled`

  // What the last plan had to leave: its object was being deleted, or its namespace, or another
  // application's. Planned again once that has gone.
  std::set<state::Key> left;
  bool again = false;

  // The deploy under way.
  uint64_t epoch = 0;
  bool active = false;
  bool between_waves = false;
  PushOptions options;
  std::shared_ptr<PushReply> reply;
  std::shared_ptr<const SourceSets> sets;
  std::shared_ptr<const ManifestSet> set;  // its own of `sets`
  ApplicationSettings settings;
  uint32_t failures = 0;
  bool wave_complete = false;
  std::set<state::Key> unhealthy, to_look_at;  // the latter of the former, once health_scheduled
  std::map<state::Key, std::string> told;      // the last progress line of each
  bool health_scheduled = false;

  bool waking = false;  // looks again whether it still has to wait
  std::string awaits;   // why the applications that it depends on keep it waiting

  std::set<state::Key> drifted;
  bool repair_scheduled = false;
};

struct SyncEngine::Reading {
  base::Status status;
  bool nothing = false;  // the branch does not exist yet
  Inventory inventory;
  std::shared_ptr<const SourceSets> sets;
  std::optional<Application> application;  // with the sets
  bool planned = false;                    // else there was something to wait for
  SyncPlan plan;
};

// As people are shown a commit.
inline std::string ShortCommit(const std::string& commit) { return commit.substr(0, 12); }

std::string DeployRef(std::string_view branch);

// `known` brought up to `view`.
base::Result<Application> ReadState(const state::View& view, const Application& known);

// What each of `known` takes of a commit, but for those whose settings cannot be acted on.
std::vector<Part> PartsOf(const state::View& view, const std::vector<Application>& known);

// To whoever pushes: a line for each, up to kMaxErrorLines; the rest is counted.
inline constexpr size_t kMaxErrorLines = 200;
void PrintErrors(const std::vector<SourceError>& errors, const std::string& prefix,
                 HookSession& session);

}  // namespace gitsync
