// A deploy that is applied has its health looked at where a change says so, until all of it is
// healthy, something failed or the time is up. Then it is settled, and recorded: once.
#include <optional>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"
#include "gitsync/report/webhook_event.h"

namespace gitsync {

using base::Status;

void SyncEngine::Applied(const AppPtr& app, bool complete) {
  const std::string applied = "applied " + ShortCommit(app->set->commit);
  if (complete && !app->settings.wait) {
    app->all_settled = false;
    if (!app->drifted.empty()) ScheduleRepair(app, options_.drift_delay);
    return Settle(app, DeployOutcome::kHealthy, applied + "; spec.wait is false");
  }
  if (complete) Tell(app, applied);
  if (app->all_settled) {
    for (const state::Key& key : app->unsettled) {
      if (app->set->Find(key) != nullptr) app->unhealthy.insert(key);
    }
  } else {
    for (const Manifest& manifest : app->set->manifests) {
      if (!IsInert(manifest.key)) app->unhealthy.insert(app->unhealthy.end(), manifest.key);
    }
  }
  if (!app->drifted.empty()) ScheduleRepair(app, options_.drift_delay);
  Watch(app);
}

// The wait for what was applied.

void SyncEngine::Watch(const AppPtr& app) {
  LookAtHealth(app, app->unhealthy);
  if (!app->active || app->unhealthy.empty()) return;
  Condition(app, "Unknown", "Progressing", "waiting for what was applied to become healthy");
  const base::Duration limit = app->settings.timeout.value_or(options_.health_limit);
  loop_.After(limit, Guarded(app, [this, app, limit, set = app->set] {
                if (app->active && !app->unhealthy.empty() && app->set == set) {
                  const state::Key& key = *app->unhealthy.begin();
                  Fail(app, key,
                       key.ToString() + " did not become healthy within " + limit.ToString() +
                           ": " + app->told[key]);
                }
              }));
}

void SyncEngine::LookAtHealth(const AppPtr& app, const std::set<state::Key>& keys) {
  const state::View& view = store_.view();
  for (const state::Key& key : std::set<state::Key>(keys)) {
    const state::ObjectPtr object = view.Get(key);
    // In a later wave, or deleted: the next plan looks after it.
    const Health health = object == nullptr ? Health() : HealthOf(*object, view);
    std::string& told = app->told[key];
    if (object != nullptr && told != health.reason && !health.reason.empty()) {
      Tell(app, key.ToString() + "  " + health.reason);
    }
    told = health.reason;
    if (health.level == Health::Level::kFailed) {
      return Fail(app, key, key.ToString() + ": " + health.reason);
    }
    if (health.level == Health::Level::kHealthy) app->unhealthy.erase(key);
  }
  if (!app->unhealthy.empty()) return;
  if (!app->wave_complete) return Attempt(app);
  app->all_settled = true;
  app->unsettled.clear();
  Settle(app, DeployOutcome::kHealthy, "healthy " + ShortCommit(app->set->commit));
}

// A failure ends the deploy once the last words of the container at fault are there, or do not
// come.
void SyncEngine::Fail(const AppPtr& app, const state::Key& failed, const std::string& message) {
  const state::Key key = failed;  // it may be one of those forgotten here
  app->unhealthy.clear();
  const state::ObjectPtr object = store_.view().Get(key);
  const std::optional<Trouble> trouble =
      object == nullptr ? std::nullopt : FindTrouble(*object, store_.view());
  if (!options_.container_log || !trouble || !trouble->crashed) {
    return Settle(app, DeployOutcome::kFailed, message);
  }
  const auto log = std::make_shared<std::string>();
  const base::Loop::Task end = Guarded(app, [this, app, message, log, trouble] {
    const std::vector<std::string> lines = LastLines(*log);
    if (!lines.empty()) {
      Tell(app, "the last lines of pod " + trouble->pod->key.name + ", container " +
                    trouble->container + ":");
    }
    for (const std::string& line : lines) Tell(app, "  | " + line);
    Settle(app, DeployOutcome::kFailed, message, RecordedLines(lines));
  });
  loop_.After(options_.log_limit, end);
  const state::PodStream tail{
      .node = std::string((*trouble->pod)["spec"]["nodeName"].AsString()),
      .request = state::LogRequest{.pod = trouble->pod->key,
                                   .container = trouble->container,
                                   .previous = trouble->previous,
                                   .tail_lines = static_cast<int64_t>(kMaxLogLines)}};
  options_.container_log(tail, [log, end](std::string text) {
    *log = std::move(text);
    end();
  });
}

void SyncEngine::Settle(const AppPtr& app, DeployOutcome outcome, const std::string& message,
                        const std::string& last_words) {
  app->active = false;
  ++app->epoch;  // nothing that still runs for it counts
  const std::string commit = app->set == nullptr ? "" : ShortCommit(app->set->commit);
  if (app->set != nullptr) RecordEnd(app, outcome, message + last_words);
  // A failure is told with its commit; the deploy that supersedes one is the history's to tell.
  EndReply(app, outcome,
           outcome == DeployOutcome::kFailed ? "failed " + commit + ": " + message : message);
  if (app->again && outcome != DeployOutcome::kSuperseded) {
    loop_.Post(lifeline_.Wrap([this, app] {
      if (app->again && !app->active) Begin(app, PushOptions(), nullptr);
    }));
  }
}

// The condition, the record that Git is told from and the webhooks: one transaction, so that a
// crash neither loses nor repeats any of them.
void SyncEngine::RecordEnd(const AppPtr& app, DeployOutcome outcome, const std::string& message) {
  state::Draft draft(store_.view(), Context(*app));
  const state::ObjectPtr record = draft.view().Get(KustomizationKey(app->name));
  if (record == nullptr) return;
  Status status;
  if (outcome == DeployOutcome::kHealthy) {
    status = RecordCondition(draft, app->name, "Ready", "True", "ReconciliationSucceeded",
                             "applied " + app->set->commit);
  } else if (outcome == DeployOutcome::kFailed) {
    status =
        RecordCondition(draft, app->name, "Ready", "False",
                        app->awaits.empty() ? "HealthCheckFailed" : "DependencyNotReady", message);
  }
  Settlement settlement;
  settlement.SetName(*record);
  settlement.outcome = outcome;
  settlement.revision = RevisionText(app->settings.branch, app->set->commit);
  if (outcome == DeployOutcome::kFailed) settlement.message = message;
  // That a deploy was superseded stands in the history since the next one began.
  if (status.ok() && outcome != DeployOutcome::kSuperseded) {
    const bool healthy = outcome == DeployOutcome::kHealthy;
    status = RecordDeploy(draft, app->name,
                          {.revision = settlement.revision,
                           .phase = healthy ? DeployPhase::kHealthy : DeployPhase::kFailed,
                           .message = OneLine(settlement.message, kMaxHistoryMessageBytes)});
  }
  if (status.ok()) {
    const base::Result<bool> recorded = RecordSettlement(draft, settlement);
    status = recorded.status();
    if (recorded.ok() && *recorded) StageDeliveries(draft, settlement);
  }
  if (status.ok()) status = store_.Commit(draft.Finish()).status();
  if (!status.ok()) {
    base::LogWarning("the end of a deploy was not recorded",
                     {{"application", app->name}, {"why", std::string(status.message())}});
  }
}

void SyncEngine::Tell(const AppPtr& app, const std::string& line) {
  if (app->reply != nullptr) app->reply->Print(app->name, line);
}

void SyncEngine::EndReply(const AppPtr& app, DeployOutcome outcome, const std::string& line) {
  if (const auto reply = std::exchange(app->reply, nullptr)) reply->End(app->name, outcome, line);
}

void SyncEngine::Condition(const AppPtr& app, std::string_view value, std::string_view reason,
                           const std::string& message) {
  Record(app, [&](state::Draft& draft) {
    return RecordCondition(draft, app->name, "Ready", value, reason, message);
  });
}

void SyncEngine::Record(const AppPtr& app, const std::function<Status(state::Draft&)>& write) {
  state::Draft draft(store_.view(), Context(*app));
  Status status = write(draft);
  if (status.ok()) status = store_.Commit(draft.Finish()).status();
  if (!status.ok()) {
    base::LogWarning("an application's status was not recorded",
                     {{"application", app->name}, {"why", std::string(status.message())}});
  }
}

}  // namespace gitsync
