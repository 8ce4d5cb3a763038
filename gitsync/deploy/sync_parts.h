// What SyncEngine holds for each source and each application, and what its parts share:
// sync_engine.cc (sources, applications and their workers), sync_push.cc (the two ends of a push),
// sync_deploy.cc (from plan to applied), sync_settle.cc (from applied to settled), sync_drift.cc
// (what others change). For these files only. What is next for a deploy says deploy_plan.h.
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
#include "gitsync/plan/push_verdict.h"
#include "gitsync/render/read_set.h"

namespace gitsync {

struct SyncEngine::Source {
  std::string name;
  std::set<std::string> applications;

  // Works wait for their turn: GitStore and SourceReader serve one at a time.
  std::deque<std::function<base::Loop::Task()>> works;
  bool busy = false;
  // Its worker's. The parts are those of the Kustomizations as they were at `parts_at`.
  std::shared_ptr<SourceReader> reader;
  std::optional<Parts> parts;
  state::Revision parts_at = 0;

  // Of the push that was accepted last, until its post-receive hook comes.
  std::shared_ptr<PushVerdict> expected;
};

// An object that changed since it was applied for sure.
struct Touched {
  state::Revision at = 0;
  bool own = false;  // by the application itself
};

struct SyncEngine::App {
  std::string name;
  std::string source_name;
  SourcePtr source;        // null while there is none of the name that it gives
  int64_t generation = 0;  // of the Kustomization, followed last
  std::string requested;   // of it, likewise: see kRequestedAnnotation
  state::ActorPtr actor;   // each has its own: whose change it is, is told by it

  std::shared_ptr<const ManifestSet> applied;  // the last complete deploy's
  Inventory inventory;                         // as it was read last
  std::map<state::Key, Touched> unsure;        // of `applied`

  std::set<state::Key> unsettled;  // changed since all of `applied` was last found healthy
  bool all_settled = false;        // but for `unsettled`

  // What the last plan had to leave: its object was being deleted, or its namespace, or another
  // application's. Planned again once that has gone.
  std::set<state::Key> left;
  bool again = false;
  bool withheld = false;  // pruned once the other applications of the source are clear

  // The deploy under way.
  uint64_t epoch = 0;
  std::optional<DeployState> deploy;
  PushOptions options;
  std::shared_ptr<PushReply> reply;
  base::Backoff retry{base::Duration(), base::Duration()};
  base::Loop::TimerId timer = 0;
  std::set<state::Key> watches;  // of SyncEngine::watched_
  bool health_scheduled = false;
  std::set<state::Key> to_look_at;  // when its turn to look comes, before the rest
  size_t seen = 0;                  // manifests of what was applied, the first ones
  bool looking = false;             // it has a turn to come
  bool waiting_told = false;        // the record says that it waits for health

  // The applications that it waits for, or gave up waiting for.
  std::vector<std::string> awaited;
  std::string awaits;   // why; empty if it does not
  bool waking = false;  // it is about to look again

  bool completing = false;  // a transaction of its own is being committed, and applies all
  bool between_waves = false;
  std::set<state::Key> drifted;
  state::Key repaired_to;  // of them, in the last turn
  bool repair_scheduled = false;
};

// Why a deploy begins.
struct SyncEngine::Start {
  std::string why = "by a newer push";  // what it supersedes is told so
  bool asked = false;                   // somebody wants it now
  PushOptions options = {};
  std::shared_ptr<PushReply> reply = nullptr;
  std::string commit = {};              // that was pushed
  std::optional<Reading> reading = {};  // and what its verdict found
};

std::string DeployRef(std::string_view branch);

// To whoever pushes: a line for each, up to kMaxErrorLines; the rest is counted.
inline constexpr size_t kMaxErrorLines = 200;
void PrintErrors(const std::vector<SourceError>& errors, const std::string& prefix,
                 HookSession& session);

}  // namespace gitsync
