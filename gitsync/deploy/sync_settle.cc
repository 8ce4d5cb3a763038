// What is applied has its health looked at: first all that may not be healthy, then where a change
// says so, also of what was healthy, until NextStep finds that it is healthy, has failed or has
// taken too long. Then the deploy is settled, and recorded once. Objects are looked at one by one,
// in turns, applications alternately: however many were applied, nobody waits for all of them.
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"
#include "gitsync/report/webhook_event.h"

namespace gitsync {

using base::Status;

void SyncEngine::Applied(const AppPtr& app) {
  DeployState& deploy = *app->deploy;
  const ApplicationSettings& settings = deploy.reading->application->settings;
  deploy.busy = false;
  deploy.applied = true;
  deploy.deadline = loop_.now().monotonic + settings.timeout.value_or(deploy.health_limit);
  if (deploy.since == base::MonotonicTime()) {
    deploy.since = loop_.now().monotonic;
    deploy.since_wall = loop_.now().wall;
  }
  if (!app->drifted.empty()) ScheduleRepair(app, options_.drift_delay);
  if (deploy.complete && !settings.wait) {
    app->all_settled = false;
    return Advance(app);
  }
  const ManifestSet& set = *deploy.reading->set();
  if (deploy.complete) {
    const std::string done = DoneText(deploy.done);
    Tell(app, "applied " + ShortCommit(set.commit) + (done.empty() ? "" : ": " + done));
  }
  app->seen = app->all_settled ? set.manifests.size() : 0;
  if (app->all_settled) {
    for (const state::Key& key : app->unsettled) {
      if (set.Find(key) != nullptr) app->to_look_at.insert(key);
    }
  }
  for (const auto& [key, absence] : deploy.absent) app->to_look_at.insert(key);
  deploy.unhealthy = app->to_look_at;
  deploy.unseen = true;
  // What was waited for may have gone since it was planned.
  if (deploy.complete && app->again && !deploy.absent.empty()) return PlanLeft(app);
  Look(app);
}

// What the last plan had to leave has gone: the deploy goes on with another one.
void SyncEngine::PlanLeft(const AppPtr& app) {
  DeployState& deploy = *app->deploy;
  app->again = false;
  app->to_look_at.clear();
  loop_.Cancel(std::exchange(app->timer, 0));
  deploy.applied = deploy.complete = deploy.unseen = false;
  deploy.unhealthy.clear();
  deploy.done.clear();
  deploy.reading->plan.reset();
  Advance(app);
}

void SyncEngine::Look(const AppPtr& app) {
  if (!std::exchange(app->looking, true)) looking_.push_back(app);
  looks_.Wake();
}

// At what changed: it may have been found healthy before. There is no verdict until it was looked
// at, so that a healthy deploy leaves nothing unsettled.
void SyncEngine::LookAgain(const AppPtr& app, const state::Key& key) {
  if (!app->deploy || !app->deploy->applied) return;
  DeployState& deploy = *app->deploy;
  // What is known to be unhealthy is watched already.
  if (deploy.unhealthy.contains(key) || deploy.reading->set()->Find(key) == nullptr) return;
  deploy.unhealthy.insert(key);
  app->to_look_at.insert(key);
  deploy.unseen = true;
  Look(app);
}

bool SyncEngine::LookNext() {
  if (looking_.empty()) return false;
  const AppPtr app = std::move(looking_.front());
  looking_.pop_front();
  app->looking = false;
  if (app->deploy && app->deploy->applied) LookAtOne(app);
  return !looking_.empty();
}

void SyncEngine::LookAtOne(const AppPtr& app) {
  DeployState& deploy = *app->deploy;
  const std::vector<Manifest>& manifests = deploy.reading->set()->manifests;
  std::set<state::Key> one;
  if (!app->to_look_at.empty()) {
    one.insert(app->to_look_at.extract(app->to_look_at.begin()));
  } else if (app->seen < manifests.size()) {
    const state::Key& key = manifests[app->seen++].key;
    if (!IsInert(key)) one.insert(*deploy.unhealthy.insert(deploy.unhealthy.end(), key));
  }
  for (const std::string& line : LookAtHealth(store_.view(), one, deploy)) Tell(app, line);
  for (const state::Key& key : one) {
    if (!deploy.unhealthy.contains(key)) continue;
    watched_[key].insert(app->name);  // for what changes after it was looked at
    app->watches.insert(key);
  }
  const bool more = !app->to_look_at.empty() || app->seen < manifests.size();
  if (more && !deploy.failure) return Look(app);
  deploy.unseen = false;
  Advance(app);
}

// Until its time has come; what waits for health is woken by what changes, too.
void SyncEngine::Wait(const AppPtr& app, const DeployStep& step) {
  if (!step.message.empty() && !std::exchange(app->waiting_told, true)) {
    RecordNotReady(app, "Unknown", "Progressing", step.message);
  }
  loop_.Cancel(app->timer);
  app->timer =
      loop_.After(step.at - loop_.now().monotonic, Guarded(app, [this, app] { Advance(app); }));
}

// A failure ends the deploy once the last words of the container at fault are there, or do not
// come.
void SyncEngine::FetchLog(const AppPtr& app, const DeployStep& step) {
  DeployState& deploy = *app->deploy;
  deploy.failure = step.failure;
  deploy.busy = true;
  const auto log = std::make_shared<std::string>();
  const base::Loop::Task end = Guarded(app, [this, app, log, trouble = *step.trouble] {
    app->deploy->busy = false;
    app->deploy->log = WithoutSecrets(*log, *trouble.pod, store_.view());
    const std::vector<std::string> lines = LastLines(*app->deploy->log);
    if (!lines.empty()) {
      Tell(app, "the last lines of pod " + trouble.pod->key.name + ", container " +
                    trouble.container + ":");
    }
    for (const std::string& line : lines) Tell(app, "  | " + line);
    Advance(app);
  });
  loop_.After(options_.log_limit, end);
  const state::PodStream tail{
      .node = std::string((*step.trouble->pod)["spec"]["nodeName"].AsString()),
      .request = state::LogRequest{.pod = step.trouble->pod->key,
                                   .container = step.trouble->container,
                                   .previous = step.trouble->previous,
                                   .tail_lines = static_cast<int64_t>(kMaxLogLines)}};
  options_.container_log(tail, [log, end](std::string text) {
    *log = std::move(text);
    end();
  });
}

void SyncEngine::Settle(const AppPtr& app, const DeployStep& step) {
  const bool healthy = step.phase == DeployPhase::kHealthy;
  const DeployState& deploy = *app->deploy;
  const std::string& commit = deploy.reading->sets->commit;
  const std::string last_words = RecordedLines(LastLines(deploy.log.value_or("")));
  const std::string message = healthy ? "" : step.message + last_words;
  Record(app, [&](state::Draft& draft) {
    RETURN_IF_ERROR(RecordReady(draft, app->name, healthy ? "True" : "False", step.reason,
                                healthy ? "applied " + commit : message));
    RETURN_IF_ERROR(RecordHandled(draft, app->name, deploy.requested));
    return RecordDeploy(
        draft, app->name,
        {.revision = RevisionOf(draft.view(), deploy), .phase = step.phase, .message = message});
  });
  if (healthy && deploy.complete && deploy.reading->application->settings.wait) {
    app->all_settled = true;
    app->unsettled.clear();
  }
  if (step.reason == "DependencyNotReady") {
    app->awaits = step.message;
    awaiting_.insert(app->name);
    app->awaited = deploy.reading->application->settings.depends_on;
  }
  // A failure is told with its commit.
  Stop(app, step.phase,
       healthy ? step.message : "failed " + ShortCommit(commit) + ": " + step.message);
  if (!app->again) return;
  loop_.Post(lifeline_.Wrap([this, app] {
    if (app->again && !app->deploy && Find(app->name) == app) Begin(app, Start());
  }));
}

// Nothing that still runs for it counts.
void SyncEngine::Stop(const AppPtr& app, DeployPhase phase, const std::string& line) {
  ++app->epoch;
  app->deploy.reset();
  for (const state::Key& key : std::exchange(app->watches, {})) {
    const auto watched = watched_.find(key);
    watched->second.erase(app->name);
    if (watched->second.empty()) watched_.erase(watched);
  }
  loop_.Cancel(std::exchange(app->timer, 0));
  app->health_scheduled = false;
  app->to_look_at.clear();
  app->waiting_told = false;
  EndReply(app, phase, line);
}

void SyncEngine::Tell(const AppPtr& app, const std::string& line) {
  if (app->reply != nullptr) app->reply->Print(app->name, line);
}

void SyncEngine::EndReply(const AppPtr& app, DeployPhase phase, const std::string& line) {
  if (const auto reply = std::exchange(app->reply, nullptr)) reply->End(app->name, phase, line);
}

void SyncEngine::RecordNotReady(const AppPtr& app, std::string_view value, std::string_view reason,
                                const std::string& message) {
  Record(app, [&](state::Draft& draft) {
    return RecordReady(draft, app->name, value, reason, message);
  });
}

// What ends by it is told: one transaction, so that a crash neither loses nor repeats any.
bool SyncEngine::Record(const AppPtr& app, const std::function<Status(state::Draft&)>& write) {
  state::Draft draft(store_.view(), Context(*app));
  const state::ObjectPtr before = draft.view().Get(KustomizationKey(app->name));
  Status status = write(draft);
  const state::ObjectPtr now = draft.view().Get(KustomizationKey(app->name));
  if (status.ok() && now != nullptr) {
    for (const Deploy& deploy : EndedBetween(before.get(), *now)) StageDeliveries(draft, deploy);
  }
  if (status.ok()) status = store_.Commit(draft.Finish()).status();
  if (!status.ok()) {
    base::LogWarning("an application's status was not recorded",
                     {{"application", app->name}, {"why", std::string(status.message())}});
  }
  return status.ok();
}

}  // namespace gitsync
