// A deploy of the branch's head goes: read and plan (worker) -> commit (loop) -> wait until what
// was applied is healthy -> the next wave, if there is one -> settled (sync_settle.cc). Each step
// is level-triggered: a crash between two of them loses nothing, since the start brings every
// application to its head again, and what is applied already is not written twice.
//   - A newer push ends whatever an older one still does: every step first asks whether the deploy
//     it belongs to is still the latest (Guarded).
//   - An application that depends on others is read, and planned once they are ready at the same
//     commit: each change of a Kustomization that it waits for lets it look again.
//   - Whatever fails is tried again with growing delay, until it works or a newer commit comes.
//     Settings that cannot be acted on wait for another Kustomization.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"

namespace gitsync {

using base::Code;
using base::Status;
using DependencyState = Dependencies::State;

namespace {

constexpr int kConflictRetries = 3;  // plans made anew on the loop

}  // namespace

void SyncEngine::Begin(const AppPtr& app, const PushOptions& options,
                       std::shared_ptr<PushReply> reply, const std::string& commit,
                       const std::string& why) {
  if (app->active) Settle(app, DeployOutcome::kSuperseded, "superseded " + why);
  ++app->epoch;
  app->active = true;
  app->options = options;
  app->options.allow_missing = true;
  app->again = false;
  app->reply = std::move(reply);
  app->sets = nullptr;
  app->set = nullptr;
  app->failures = 0;
  app->unhealthy.clear();
  app->told.clear();
  app->health_scheduled = false;
  app->to_look_at.clear();
  app->awaits.clear();
  app->waking = false;
  if (!commit.empty()) {
    Record(app, [&](state::Draft& draft) {
      const std::string branch = BranchOf(draft.view(), app->source->name);
      return RecordDeploy(draft, app->name, {.revision = RevisionText(branch, commit)});
    });
  }
  Attempt(app);
}

void SyncEngine::Attempt(const AppPtr& app) {
  app->since_plan.clear();
  const auto state = ReadApplication(store_.view(), app->name);
  if (!state.ok() || app->source == nullptr) {
    return GiveUp(app, state.ok() ? NoRepository(state->settings.source) : state.status());
  }
  app->settings = state->settings;
  RunOnWorker(app->source,
              [this, app, source = app->source, epoch = app->epoch, view = store_.view(),
               options = app->options, context = Context(*app), known = Known(*app),
               all = KnownOf(*app->source)]() -> base::Loop::Task {
                Reading reading = ReadHead(view, *source, known, all);
                if (reading.application &&
                    DependenciesOf(view, *reading.application, reading.sets->commit).state ==
                        DependencyState::kMet) {
                  reading.plan =
                      PlanSync(view, *reading.application, *reading.sets->sets.at(known.name),
                               options, context, *reading.sets);
                  reading.planned = true;
                }
                return [this, app, epoch, reading = std::move(reading)]() mutable {
                  if (app->epoch == epoch) Planned(app, std::move(reading));
                };
              });
}

// Until there is a push, the Kustomization is changed, or there is such a source.
void SyncEngine::GiveUp(const AppPtr& app, const Status& why) {
  const std::string message(why.message());
  app->active = false;
  ++app->epoch;
  Condition(app, "False", "ReconciliationFailed", message);
  EndReply(app, DeployOutcome::kFailed, "not applied: " + message);
}

// On a worker.
SyncEngine::Reading SyncEngine::ReadHead(const state::View& view, const Source& source,
                                         const Application& known,
                                         const std::vector<Application>& all) const {
  Reading reading;
  auto state = ReadState(view, known);
  reading.status = state.status();
  if (!state.ok()) return reading;
  reading.inventory = state->inventory;
  const auto head = git_.Resolve(source.name, DeployRef(state->settings.branch));
  reading.status = head.status();
  reading.nothing = head.status().code() == Code::kNotFound;
  if (!head.ok()) return reading;
  const auto sets = source.reader->Read(*head, {}, PartsOf(view, all), view.schema());
  reading.status = sets.status();
  if (!sets.ok()) return reading;
  reading.sets = *sets;
  reading.application = *std::move(state);
  return reading;
}

// An application may have come meanwhile: what moved to it is not to be pruned.
bool SyncEngine::AllRead(const Source& source, const SourceSets& sets) const {
  return std::all_of(
      source.applications.begin(), source.applications.end(), [&](const std::string& name) {
        return sets.sets.contains(name) || !ReadApplication(store_.view(), name).ok();
      });
}

void SyncEngine::Planned(const AppPtr& app, Reading reading) {
  app->waking = false;
  if (reading.nothing) {
    app->active = false;
    return EndReply(app, DeployOutcome::kHealthy, "nothing to deploy");
  }
  if (!reading.status.ok()) return Retry(app, std::string(reading.status.message()));
  if (!AllRead(*app->source, *reading.sets)) return Attempt(app);
  app->inventory = reading.inventory;
  app->sets = reading.sets;
  app->set = reading.sets->sets.at(app->name);
  const Dependencies dependencies =
      DependenciesOf(store_.view(), *reading.application, app->set->commit);
  if (dependencies.state != DependencyState::kMet) return Await(app, dependencies);
  if (!reading.planned) return Attempt(app);
  app->awaits.clear();
  if (const std::string why = HeldBecause(*reading.application, *app->set, reading.plan);
      !why.empty()) {
    return GiveUp(app, Status(Code::kConflict, why));
  }
  Apply(app, std::move(reading.plan));
}

void SyncEngine::Await(const AppPtr& app, const Dependencies& dependencies) {
  const bool told = std::exchange(app->awaits, dependencies.why) == dependencies.why;
  if (dependencies.state == DependencyState::kFailed) {
    return Settle(app, DeployOutcome::kFailed, "not applied: " + dependencies.why);
  }
  if (!told) Tell(app, "waiting: " + dependencies.why);
  Condition(app, "False", "DependencyNotReady", dependencies.why);
}

// An application that waits, or gave up waiting, for this one looks again.
void SyncEngine::WakeAwaiting(const state::Change& change) {
  const state::Key& key = change.key();
  if (key.resource != kKustomizations || key.ns != kSystemNamespace) return;
  const bool may_end_a_cycle = change.removed || change.created() ||
                               change.object->Generation() != change.previous->Generation();
  for (const auto& [name, app] : apps_) {
    if (app->awaits.empty() || app->waking || name == key.name) continue;
    const std::vector<std::string>& awaited = app->settings.depends_on;
    if (!may_end_a_cycle && std::find(awaited.begin(), awaited.end(), key.name) == awaited.end()) {
      continue;
    }
    app->waking = true;
    loop_.Post(Guarded(app, [this, app = app] {
      app->active ? Attempt(app) : Begin(app, PushOptions(), nullptr);
    }));
  }
}

void SyncEngine::Apply(const AppPtr& app, SyncPlan plan) {
  for (int attempt = 0;; ++attempt) {
    if (!plan.errors.empty()) {
      if (app->reply != nullptr) {
        PrintErrors(plan.errors, app->reply->Prefix(app->name), app->reply->session());
      }
      return Retry(app, plan.errors.front().ToString());
    }
    const auto committed = store_.Commit(plan.transaction);
    if (committed.ok()) break;
    if (committed.status().code() != Code::kConflict || attempt == kConflictRetries) {
      return Retry(app, std::string(committed.status().message()));
    }
    // Something moved since the worker looked: plan again on what is there now.
    const state::DraftContext context = Context(*app);
    const auto state = ReadState(store_.view(), Known(*app));
    if (!state.ok()) return Retry(app, std::string(state.status().message()));
    app->since_plan.clear();
    plan = PlanSync(store_.view(), *state, *app->set, app->options, context, *app->sets);
  }
  app->between_waves = !plan.complete;
  if (plan.complete) {
    app->applied = app->set;
    app->left = plan.unsure;
    app->unsure = std::move(plan.unsure);
    app->unsure.merge(app->since_plan);
  }
  app->wave_complete = plan.complete;
  store_.WhenDurable(store_.revision(), Guarded(app, [this, app, complete = plan.complete] {
                       Applied(app, complete);
                     }));
}

void SyncEngine::Retry(const AppPtr& app, const std::string& message) {
  app->awaits.clear();
  const base::Duration delay = options_.retry.After(++app->failures);
  base::LogWarning("deploy failed, trying again",
                   {{"application", app->name}, {"after", delay.ToString()}, {"why", message}});
  Tell(app, "not applied: " + message + "; trying again in " + delay.ToString());
  Condition(app, "False", "ReconciliationFailed", message);
  loop_.After(delay, Guarded(app, [this, app] { Attempt(app); }));
}

}  // namespace gitsync
