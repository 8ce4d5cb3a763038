// Does what NextStep says, from a deploy's beginning until what it brings is applied. Each step is
// level-triggered: a crash between two of them loses nothing, since the start brings every
// application to its head again, and what is applied already is not written twice. A newer deploy
// ends whatever an older one still does: every answer first asks whether the deploy that it belongs
// to is still the latest (Guarded).
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/dependencies.h"
#include "gitsync/plan/repository.h"
#include "gitsync/report/webhook_event.h"

namespace gitsync {

using base::Code;

namespace {

// What an earlier wave did, a later one finds unchanged.
void CountDone(const SyncPlan& plan, ActionCounts& done) {
  if (!plan.complete) {
    for (size_t i = 0; i < plan.results_done; ++i) {
      if (plan.results[i].action != Action::kUnchanged) ++done[plan.results[i].action];
    }
    return;
  }
  size_t before = 0;
  for (const auto& [action, count] : done) before += count;
  for (const auto& [action, count] : CountsOf(plan)) done[action] += count;
  size_t& unchanged = done[Action::kUnchanged];
  unchanged -= std::min(unchanged, before);
  if (unchanged == 0) done.erase(Action::kUnchanged);
}

}  // namespace

void SyncEngine::Begin(const AppPtr& app, Start start) {
  if (app->deploy) Stop(app, DeployPhase::kSuperseded, "superseded " + start.why);
  DeployState& deploy = app->deploy.emplace();
  deploy.application = app->name;
  deploy.pushed = start.commit;
  deploy.asked = start.asked;
  deploy.requested = app->requested;
  deploy.has_logs = options_.container_log != nullptr;
  deploy.health_limit = options_.health_limit;
  deploy.reading = std::move(start.reading);
  app->options = start.options;
  app->options.allow_missing = true;  // as an accepted push does
  app->reply = std::move(start.reply);
  app->retry = options_.retry;
  app->again = false;
  app->awaits.clear();
  app->waking = false;
  Advance(app);
}

void SyncEngine::Advance(const AppPtr& app) {
  while (app->deploy) {
    const DeployStep step = NextStep(store_.view(), tables_, *app->deploy, loop_.now().monotonic);
    if (!Do(app, step)) return;
  }
}

bool SyncEngine::Do(const AppPtr& app, const DeployStep& step) {
  using Act = DeployStep::Act;
  switch (step.act) {
    case Act::kIdle: return false;
    case Act::kRead: Read(app); return true;
    case Act::kPlan: PlanAgain(app); return true;
    case Act::kCommit: Commit(app); return true;
    case Act::kFetchLog: FetchLog(app, step); return true;
    case Act::kRetry: Retry(app, step.message); return true;
    case Act::kSettle: Settle(app, step); return false;
    case Act::kGiveUp: GiveUp(app, step.message); return false;
    case Act::kRest: Rest(app, step); return false;
    case Act::kAwait: Await(app, step.message); return false;
    case Act::kWait: Wait(app, step); return false;
    case Act::kBegin: break;
  }
  const bool begun = Record(app, [&](state::Draft& draft) {
    return RecordDeploy(draft, app->name, {.revision = RevisionOf(draft.view(), *app->deploy)});
  });
  if (!begun) Retry(app, "it could not be recorded");
  return true;
}

struct SyncEngine::HeadRequest {
  state::View view;
  state::Revision applications_at;  // when they changed last, in `view`
  Application known;
  std::set<std::string> all;  // applications of the source
};

void SyncEngine::Read(const AppPtr& app) {
  DeployState& deploy = *app->deploy;
  if (app->source == nullptr) return GiveUp(app, "its GitRepository is not there");
  if (!deploy.applied && deploy.reading && deploy.reading->plan) ++deploy.stale;
  deploy.reading.reset();
  deploy.applied = false;
  deploy.retry_at.reset();
  deploy.busy = true;
  HeadRequest request{store_.view(), tables_.applications(), Known(*app),
                      app->source->applications};
  RunOnWorker(app->source,
              [this, app, source = app->source, epoch = app->epoch, request = std::move(request),
               options = app->options, context = Context(*app),
               min_prepared = store_.min_prepared_writes()]() -> base::Loop::Task {
                auto reading = std::make_shared<Reading>(ReadHead(*source, request));
                const state::View& view = request.view;
                if (reading->ok() &&
                    DependenciesOf(view, *reading->application, reading->sets->commit).state ==
                        Dependencies::State::kMet) {
                  reading->plan = PlanSync(view, *reading->application, *reading->set(), options,
                                           context, *reading->sets);
                  Prepare(view, min_prepared, *reading->plan);
                }
                return [this, app, epoch, reading] {
                  if (app->epoch != epoch) return;
                  app->deploy->busy = false;
                  app->deploy->reading = std::move(*reading);
                  Advance(app);
                };
              });
}

// On the source's worker. The others' settings are read again only after one of them was changed.
Reading SyncEngine::ReadHead(Source& source, const HeadRequest& request) const {
  const state::View& view = request.view;
  Reading reading;
  reading.at = view.revision();
  auto state = ReadState(view, request.known);
  reading.status = state.status();
  if (!state.ok()) return reading;
  const auto head = git_.Resolve(source.name, DeployRef(state->settings.branch));
  reading.nothing = head.status().code() == Code::kNotFound;
  reading.status = head.status();
  if (!head.ok()) return reading;
  if (!source.parts || source.parts_at != request.applications_at) {
    source.parts = PartsOf(view, request.all);
    source.parts_at = request.applications_at;
  }
  const auto sets = source.reader->Read(*head, {}, *source.parts, view.schema());
  reading.status = sets.status();
  if (!sets.ok()) return reading;
  reading.sets = *sets;
  reading.application = *std::move(state);
  const std::string& tree = reading.set()->tree;
  if (!reading.application->HasApplied(tree) &&
      std::any_of(request.all.begin(), request.all.end(),
                  [&](const std::string& each) { return HasApplied(view, each, tree); })) {
    reading.application->applied_trees.push_back(tree);
  }
  return reading;
}

// What was read stays; the plan is made on what there is now.
void SyncEngine::PlanAgain(const AppPtr& app) {
  DeployState& deploy = *app->deploy;
  ++deploy.stale;
  auto state = ReadState(store_.view(), Known(*app));
  if (!state.ok()) return deploy.reading.reset();
  Reading& reading = *deploy.reading;
  const std::string& tree = reading.set()->tree;
  if (reading.application->HasApplied(tree)) state->applied_trees.push_back(tree);
  reading.at = store_.revision();
  reading.application = *std::move(state);
  reading.plan = PlanSync(store_.view(), *reading.application, *reading.set(), app->options,
                          Context(*app), *reading.sets);
}

void SyncEngine::Commit(const AppPtr& app) {
  auto plan = std::make_shared<SyncPlan>(*std::exchange(app->deploy->reading->plan, std::nullopt));
  CommitPlan(app, *plan);
  // What a large one holds takes a while to take down.
  if (plan->basis.objects.size() > kMaxPlannedOnLoop) {
    loop_.Offload([plan = std::move(plan)]() -> base::Loop::Task { return nullptr; });
  }
}

void SyncEngine::CommitPlan(const AppPtr& app, SyncPlan& plan) {
  DeployState& deploy = *app->deploy;
  TellSuperseded(app->name, plan);
  app->completing = plan.complete;
  const base::Status status = store_.Commit(plan.transaction, plan.prepared.get()).status();
  app->completing = false;
  if (status.code() == Code::kConflict) {
    ++deploy.stale;
    return;  // without a plan, it is read again
  }
  if (!status.ok()) return Retry(app, std::string(status.message()));
  ++(deploy.stale == 0 ? plans_.first : plans_.again);
  deploy.stale = 0;
  deploy.complete = plan.complete;
  deploy.absent = plan.absent;
  CountDone(plan, deploy.done);
  app->between_waves = !plan.complete;
  app->inventory = deploy.reading->application->inventory;
  if (plan.complete) {
    app->applied = deploy.reading->set();
    app->withheld = plan.withheld;
    app->left = plan.unsure;
    leaving_.erase(app->name);
    if (!app->left.empty()) leaving_.insert(app->name);
    std::erase_if(app->unsure, [&](const auto& each) {
      return each.second.own || each.second.at <= plan.basis.made_at;
    });
    for (const state::Key& key : plan.unsure) app->unsure[key] = {store_.revision(), false};
  }
  deploy.busy = true;
  store_.WhenDurable(store_.revision(), Guarded(app, [this, app] { Applied(app); }));
}

// A plan that records its revision as on its way ends what was: those who hear of it are told in
// the same transaction.
void SyncEngine::TellSuperseded(const std::string& application, SyncPlan& plan) {
  const state::Key key = KustomizationKey(application);
  const state::ObjectPtr before = store_.view().Get(key), after = plan.after.Get(key);
  if (!plan.complete || before == nullptr || after == nullptr) return;
  state::Draft draft(store_.view(), writer_.NewContext());
  for (const Deploy& ended : EndedBetween(before.get(), *after)) StageDeliveries(draft, ended);
  for (state::Write& write : draft.Finish().writes) {
    plan.transaction.writes.push_back(std::move(write));
  }
}

void SyncEngine::Await(const AppPtr& app, const std::string& why) {
  const bool told = std::exchange(app->awaits, why) == why;
  app->awaited = app->deploy->reading->application->settings.depends_on;
  awaiting_.insert(app->name);
  if (!told) Tell(app, "waiting: " + why);
  RecordNotReady(app, "False", "DependencyNotReady", why);
}

// An application that waits, or gave up waiting, for this one looks again.
void SyncEngine::WakeAwaiting(const state::Change& change) {
  const state::Key& key = change.key();
  if (key.resource != kKustomizations || key.ns != kSystemNamespace) return;
  const bool may_end_a_cycle = change.removed || change.created() ||
                               change.object->Generation() != change.previous->Generation();
  std::erase_if(awaiting_, [this](const std::string& name) {
    const AppPtr app = Find(name);
    return app == nullptr || app->awaits.empty();
  });
  for (const std::string& name : awaiting_) {
    const AppPtr app = Find(name);
    if (app->waking || name == key.name) continue;
    if (!may_end_a_cycle &&
        std::find(app->awaited.begin(), app->awaited.end(), key.name) == app->awaited.end()) {
      continue;
    }
    app->waking = true;
    loop_.Post(Guarded(app, [this, app] {
      app->waking = false;
      app->deploy ? Advance(app) : Begin(app, Start());
    }));
  }
}

void SyncEngine::Retry(const AppPtr& app, const std::string& message) {
  DeployState& deploy = *app->deploy;
  const base::Duration delay = app->retry.Next();
  if (deploy.reading && deploy.reading->plan && app->reply != nullptr) {
    PrintErrors(deploy.reading->plan->errors, app->reply->Prefix(app->name), app->reply->session());
  }
  deploy.reading.reset();
  deploy.stale = 0;
  app->waiting_told = false;
  deploy.retry_at = loop_.now().monotonic + delay;
  app->awaits.clear();
  base::LogWarning("deploy failed, trying again",
                   {{"application", app->name}, {"after", delay.ToString()}, {"why", message}});
  Tell(app, "not applied: " + message + "; trying again in " + delay.ToString());
  Record(app, [&](state::Draft& draft) {
    RETURN_IF_ERROR(RecordReady(draft, app->name, "False", "ReconciliationFailed", message));
    return RecordHandled(draft, app->name, deploy.requested);
  });
}

void SyncEngine::Rest(const AppPtr& app, const DeployStep& step) {
  Record(app, [&](state::Draft& draft) {
    RETURN_IF_ERROR(RecordUnhindered(draft, app->name));
    // What is suspended answers when it goes on.
    if (step.phase != DeployPhase::kHealthy) return base::Status();
    return RecordHandled(draft, app->name, app->deploy->requested);
  });
  Stop(app, step.phase, step.message);
}

// Until there is a push, the Kustomization is changed, or there is such a source.
void SyncEngine::GiveUp(const AppPtr& app, const std::string& message) {
  Record(app, [&](state::Draft& draft) {
    RETURN_IF_ERROR(RecordStalled(draft, app->name, message));
    return RecordHandled(draft, app->name, app->deploy->requested);
  });
  Stop(app, DeployPhase::kFailed, "not applied: " + message);
}

}  // namespace gitsync
