// What is next for a deploy: a function of the state, of how far the deploy has come, and of the
// time. SyncEngine does what it says, and notes what came of it.
//
// Pure. Reading a commit, making a plan durable and fetching a log take time: meanwhile the deploy
// is busy, and nothing else is next for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "gitsync/deploy/health.h"
#include "gitsync/plan/plan.h"
#include "gitsync/render/source_sets.h"
#include "state/view.h"

namespace gitsync {

inline constexpr uint32_t kMaxStalePlans = 5;     // in a row; then it waits as after a failure
inline constexpr size_t kMaxPlannedOnLoop = 256;  // objects; plans of more are made by a worker

// What an application takes of a commit, and the plan for it.
struct Reading {
  base::Status status;     // if it is not OK, the rest says nothing
  state::Revision at = 0;  // of the View that it was made from
  bool nothing = false;    // the branch does not exist yet
  std::shared_ptr<const SourceSets> sets;
  std::optional<Application> application;
  std::optional<SyncPlan> plan;  // absent: there was something to wait for, or it is committed

  bool ok() const { return status.ok() && !nothing; }
  std::shared_ptr<const ManifestSet> set() const { return sets->sets.at(application->name); }
};

// A deploy under way, as far as it has come. A value.
struct DeployState {
  std::string application;
  std::string pushed;     // the commit; empty if no push asked for it
  bool asked = false;     // somebody did: what would be held is not
  std::string requested;  // kRequestedAnnotation when it began: what its end answers
  bool has_logs = false;  // of containers that crashed
  base::Duration health_limit = base::Duration::Minutes(15);  // unless the Kustomization has one

  bool busy = false;  // somebody is to answer
  std::optional<Reading> reading;
  uint32_t stale = 0;  // plans since the last commit that held no more when their turn came
  std::optional<base::MonotonicTime> retry_at;

  ActionCounts done;  // by the waves before the last one

  // The wave that was committed last.
  bool applied = false;   // durable
  bool complete = false;  // it was the last one
  bool unseen = false;    // the health of some of it has not been looked at yet, as it is now
  base::MonotonicTime deadline;
  base::MonotonicTime since;  // when the first wave was applied
  base::WallTime since_wall;
  std::map<state::Key, Absence> absent;  // of the last wave's plan
  // What failed before this deploy began, as it said then; it may until the time that stands here.
  std::map<state::Key, base::MonotonicTime> doubted;
  std::set<state::Key> unhealthy;
  std::map<state::Key, std::string> told;  // the last thing said of each
  struct Failure {
    state::Key key;
    std::string message;
  };
  std::optional<Failure> failure;
  std::optional<std::string> log;  // the end of the failed container's, once it was asked for
};

struct DeployStep {
  enum class Act {
    kIdle,      // until there is an answer
    kRead,      // the head, and plan it
    kPlan,      // again, on what there is now
    kBegin,     // record that this revision is on its way
    kCommit,    // the plan as it is
    kAwait,     // the applications that it depends on, because of `message`
    kWait,      // until `at`, or something happens; for health, if there is a `message`
    kFetchLog,  // of `trouble`; then it has failed because of `failure`
    kSettle,    // it ended as `phase`
    kRetry,     // later, because of `message`
    kGiveUp,    // until somebody changes something, because of `message`
    kRest,      // nothing is to be done; `message` says why
  };
  Act act = Act::kIdle;
  DeployPhase phase = DeployPhase::kHealthy;
  std::string reason;   // as Flux's conditions put it
  std::string message;  // a sentence
  base::MonotonicTime at;
  std::optional<DeployState::Failure> failure;
  std::optional<Trouble> trouble;
};

// What it brings the application to; empty if that is not known yet.
std::string RevisionOf(const state::View& view, const DeployState& deploy);

DeployStep NextStep(const state::View& view, const SharedTables& tables, const DeployState& deploy,
                    base::MonotonicTime now);

// Looks at `keys` of what was applied: which are healthy, whether one failed. The lines to tell.
std::vector<std::string> LookAtHealth(const state::View& view, const std::set<state::Key>& keys,
                                      DeployState& deploy);

// As people are shown a commit.
inline std::string ShortCommit(const std::string& commit) { return commit.substr(0, 12); }

}  // namespace gitsync
