// A deploy goes: read and plan -> commit -> wait until what was applied is healthy -> the next
// wave, if there is one -> settled.
//   - The plan that judged a push is committed as it is, if what it depends on is as it was; else
//     it is made again: a small one at once, a large one by a worker, and at once if that was too
//     late, too.
//   - A push is recorded as on its way before anything else that takes time; a plan that is about
//     to be committed records it itself. So no two revisions are ever said to be on their way.
//   - An application that depends on others is planned once they are ready at the same commit.
//   - It is healthy when all that the commit asks for is there and healthy. What is still being
//     deleted is waited for, and made anew by another plan; what cannot be made has failed.
//   - How an earlier deploy ended says nothing of this one: a failure from before it is watched for
//     as long as it would have had.
//   - What fails is tried again, until it works or a newer commit comes. Settings that cannot be
//     acted on, and a path that the commit lacks, wait for another Kustomization or commit.
#include "gitsync/deploy/deploy_plan.h"

#include <algorithm>
#include <utility>

#include "gitsync/plan/dependencies.h"
#include "gitsync/plan/repository.h"

namespace gitsync {
namespace {

using Act = DeployStep::Act;

// Controllers try again after 5 s what was refused: whatever a deadline says, they get to it.
constexpr base::Duration kMinPatience = base::Duration::Seconds(10);

DeployStep Do(Act act, std::string message = "") {
  DeployStep step;
  step.act = act;
  step.message = std::move(message);
  return step;
}

DeployStep Settle(DeployPhase phase, std::string reason, std::string message) {
  DeployStep step = Do(Act::kSettle, std::move(message));
  step.phase = phase;
  step.reason = std::move(reason);
  return step;
}

DeployStep Rest(DeployPhase phase, std::string message) {
  DeployStep step = Do(Act::kRest, std::move(message));
  step.phase = phase;
  return step;
}

DeployStep WaitUntil(base::MonotonicTime at, std::string message = "") {
  DeployStep step = Do(Act::kWait, std::move(message));
  step.at = at;
  return step;
}

DeployStep BeforeReading(const state::View& view, const DeployState& deploy) {
  const auto application = ReadApplication(view, deploy.application);
  if (!application.ok()) return Do(Act::kGiveUp, std::string(application.status().message()));
  if (application->settings.suspended) {
    return Rest(DeployPhase::kFailed, "not applied: " + SuspendedText(*application));
  }
  return Do(Act::kRead);
}

// Of a plan that something has overtaken.
DeployStep PlanAgain(const SyncPlan& plan, uint32_t stale) {
  const bool at_once = stale > 0 || plan.basis.objects.size() <= kMaxPlannedOnLoop;
  return Do(at_once ? Act::kPlan : Act::kRead);
}

DeployStep AfterPlanning(const state::View& view, const SharedTables& tables,
                         const DeployState& deploy) {
  const Reading& reading = *deploy.reading;
  const SyncPlan& plan = *reading.plan;
  if (!deploy.asked) {
    std::string held = HeldBecause(*reading.application, *reading.set(), plan);
    if (!held.empty()) return Do(Act::kGiveUp, std::move(held));
  }
  if (reading.set()->missing) {
    return Settle(DeployPhase::kFailed, "ArtifactFailed",
                  "not applied: " + plan.errors.front().ToString());
  }
  if (!plan.errors.empty()) return Do(Act::kRetry, plan.errors.front().ToString());
  if (deploy.stale >= kMaxStalePlans) {
    return Do(Act::kRetry, "what it changes was changed each time it was planned");
  }
  if (!Holds(plan.basis, view, tables)) return PlanAgain(plan, deploy.stale);
  return Do(Act::kCommit);
}

DeployStep AfterReading(const state::View& view, const SharedTables& tables,
                        const DeployState& deploy) {
  const Reading& reading = *deploy.reading;
  if (reading.nothing) return Rest(DeployPhase::kHealthy, "nothing to deploy");
  if (!reading.status.ok()) return Do(Act::kRetry, std::string(reading.status.message()));
  // Who else takes what of the commit may have changed.
  if (tables.applications() > reading.at) return BeforeReading(view, deploy);
  const Dependencies dependencies =
      DependenciesOf(view, *reading.application, reading.sets->commit);
  switch (dependencies.state) {
    case Dependencies::State::kFailed:
      return Settle(DeployPhase::kFailed, "DependencyNotReady", "not applied: " + dependencies.why);
    case Dependencies::State::kAwaited: return Do(Act::kAwait, dependencies.why);
    case Dependencies::State::kMet: break;
  }
  return reading.plan ? AfterPlanning(view, tables, deploy) : Do(Act::kRead);
}

// Whether the record is to say that the deploy is on its way before `step` is taken.
bool IsToBegin(const state::View& view, const DeployState& deploy, const DeployStep& step) {
  const std::string revision = RevisionOf(view, deploy);
  const state::ObjectPtr record = view.Get(KustomizationKey(deploy.application));
  const bool only_looks = step.act == Act::kRead && deploy.pushed.empty();
  if (only_looks || step.act == Act::kPlan || step.act == Act::kGiveUp || step.act == Act::kRest ||
      revision.empty() || record == nullptr) {
    return false;
  }
  const std::vector<Deploy> deploys = DeploysOf(*record);
  const bool another = !deploys.empty() && !deploys.front().ended();
  if (another && deploys.front().revision == revision) return false;
  if (step.act == Act::kCommit && deploy.reading->plan->complete &&
      deploy.reading->application->applied_commit != deploy.reading->sets->commit) {
    return false;  // the plan records it
  }
  return another || !deploy.pushed.empty();
}

DeployStep AfterFailure(const state::View& view, const DeployState& deploy,
                        const DeployState::Failure& failure) {
  if (deploy.has_logs && !deploy.log) {
    const state::ObjectPtr object = view.Get(failure.key);
    std::optional<Trouble> trouble;
    if (object != nullptr) trouble = FindTrouble(*object, view);
    if (trouble && trouble->crashed) {
      DeployStep step = Do(Act::kFetchLog);
      step.failure = failure;
      step.trouble = std::move(trouble);
      return step;
    }
  }
  return Settle(DeployPhase::kFailed, "HealthCheckFailed", failure.message);
}

DeployStep AfterApplying(const state::View& view, const DeployState& deploy,
                         base::MonotonicTime now) {
  const ApplicationSettings& settings = deploy.reading->application->settings;
  const std::string commit = ShortCommit(deploy.reading->sets->commit);
  const auto healthy = [&](const std::string& message) {
    return Settle(DeployPhase::kHealthy, "ReconciliationSucceeded", message);
  };
  if (deploy.complete && !settings.wait) {
    return healthy("applied " + commit + "; spec.wait is false");
  }
  if (deploy.failure) return AfterFailure(view, deploy, *deploy.failure);
  if (deploy.unhealthy.empty()) {
    return deploy.complete ? healthy("healthy " + commit) : Do(Act::kRead);
  }
  base::MonotonicTime until = deploy.deadline;
  for (const auto& [key, at] : deploy.doubted) {
    if (!deploy.unhealthy.contains(key)) continue;
    if (now >= at) {
      return AfterFailure(view, deploy, {key, key.ToString() + ": " + deploy.told.at(key)});
    }
    until = std::min(until, at);
  }
  if (now < deploy.deadline) {
    return WaitUntil(until, "waiting for what was applied to become healthy");
  }
  const state::Key& key = *deploy.unhealthy.begin();
  const base::Duration limit = settings.timeout.value_or(deploy.health_limit);
  const auto told = deploy.told.find(key);
  return AfterFailure(view, deploy,
                      {key, key.ToString() + " did not become healthy within " + limit.ToString() +
                                ": " + (told == deploy.told.end() ? "" : told->second)});
}

}  // namespace

std::string RevisionOf(const state::View& view, const DeployState& deploy) {
  if (deploy.reading && deploy.reading->ok()) {
    const Reading& reading = *deploy.reading;
    return RevisionText(reading.application->settings.branch, reading.sets->commit);
  }
  const state::ObjectPtr record = view.Get(KustomizationKey(deploy.application));
  if (deploy.pushed.empty() || record == nullptr) return "";
  return RevisionText(BranchOf(view, SourceOf(*record)), deploy.pushed);
}

DeployStep NextStep(const state::View& view, const SharedTables& tables, const DeployState& deploy,
                    base::MonotonicTime now) {
  if (deploy.busy || deploy.unseen) return Do(Act::kIdle);
  if (deploy.retry_at && now < *deploy.retry_at) return WaitUntil(*deploy.retry_at);
  if (deploy.applied) return AfterApplying(view, deploy, now);
  const DeployStep step =
      deploy.reading ? AfterReading(view, tables, deploy) : BeforeReading(view, deploy);
  return IsToBegin(view, deploy, step) ? Do(Act::kBegin) : step;
}

namespace {

// Of what is to be there once all is applied. Before the last wave, what is absent may be of a
// later one.
Health HealthOfAbsent(const DeployState& deploy, const state::Key& key) {
  using Level = Health::Level;
  const auto absent = deploy.absent.find(key);
  if (!deploy.complete) return Health();
  if (absent == deploy.absent.end()) return {Level::kProgressing, "deleted, and made anew"};
  switch (absent->second.cause) {
    case Absence::Cause::kAwaited: return {Level::kProgressing, absent->second.why};
    case Absence::Cause::kRefused: return {Level::kFailed, absent->second.why};
    case Absence::Cause::kUnasked: break;
  }
  return Health();
}

Health HealthIn(DeployState& deploy, const state::Key& key, const state::ObjectPtr& object,
                const state::View& view) {
  const auto absent = deploy.absent.find(key);
  const bool goes =
      object != nullptr && object->Deleting() && deploy.complete && absent != deploy.absent.end();
  if (object == nullptr || goes) return HealthOfAbsent(deploy, key);
  Health health = HealthOf(*object, view);
  deploy.doubted.erase(key);
  if (health.level != Health::Level::kFailed || !health.since ||
      health.since->seconds() > deploy.since_wall.seconds()) {
    return health;
  }
  health.level = Health::Level::kProgressing;
  health.reason += "; that was before this deploy";
  deploy.doubted[key] = deploy.since + std::max(health.patience, kMinPatience);
  return health;
}

}  // namespace

std::vector<std::string> LookAtHealth(const state::View& view, const std::set<state::Key>& keys,
                                      DeployState& deploy) {
  std::vector<std::string> lines;
  for (const state::Key& key : keys) {
    if (!deploy.unhealthy.contains(key) || deploy.failure) continue;
    const state::ObjectPtr object = view.Get(key);
    const Health health = HealthIn(deploy, key, object, view);
    std::string& told = deploy.told[key];
    if (told != health.reason && !health.reason.empty()) {
      lines.push_back(key.ToString() + "  " + health.reason);
    }
    told = health.reason;
    if (health.level == Health::Level::kFailed) {
      deploy.failure = {key, key.ToString() + ": " + health.reason};
    }
    if (health.level == Health::Level::kHealthy) deploy.unhealthy.erase(key);
  }
  return lines;
}

}  // namespace gitsync
