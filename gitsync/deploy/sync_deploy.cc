// A deploy of the branch's head goes: read and plan (worker) -> commit (loop) -> wait until what
// was applied is healthy -> the next wave, if there is one -> settled. Each step is
// level-triggered: a crash between two of them loses nothing, since the start brings every
// repository to its head again, and what is applied already is not written twice.
//   - A newer push ends whatever an older one still does: every step first asks whether the deploy
//     it belongs to is still the latest (Guarded).
//   - Whatever fails is tried again with growing delay, until it works or a newer commit comes.
#include <optional>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_repo.h"
#include "gitsync/render/read_set.h"
#include "gitsync/report/webhook_event.h"

namespace gitsync {

using base::Code;
using base::Status;

namespace {

constexpr int kConflictRetries = 3;  // plans made anew on the loop

}  // namespace

void SyncEngine::Begin(const RepoPtr& repo, const PushOptions& options,
                       std::shared_ptr<HookSession> session, const std::string& commit) {
  if (repo->active) Settle(repo, DeployOutcome::kSuperseded, "superseded by a newer push");
  ++repo->epoch;
  repo->active = true;
  repo->options = options;
  repo->options.allow_missing = true;
  repo->again = false;
  repo->session = std::move(session);
  repo->set = nullptr;
  repo->failures = 0;
  repo->unhealthy.clear();
  repo->told.clear();
  repo->health_scheduled = false;
  repo->to_look_at.clear();
  if (!commit.empty()) {
    Record(repo, [&](state::Draft& draft) {
      return RecordDeploy(draft, repo->name,
                          {.revision = RevisionText(BranchOf(draft.view(), repo->name), commit)});
    });
  }
  Attempt(repo);
}

void SyncEngine::Attempt(const RepoPtr& repo) {
  repo->since_plan.clear();
  RunOnWorker(repo,
              [this, repo, epoch = repo->epoch, view = store_.view(), options = repo->options,
               context = Context(*repo), known = Known(repo), near = repo->latest,
               sets = std::vector{repo->set, repo->checked, repo->applied}]() -> base::Loop::Task {
                Reading reading;
                auto state = ReadState(view, known);
                reading.status = state.status();
                if (state.ok()) {
                  reading.inventory = state->inventory;
                  const auto head = git_.Resolve(repo->name, DeployRef(*state));
                  reading.status = head.status();
                  reading.nothing = head.status().code() == Code::kNotFound;
                  for (const auto& set : sets) {
                    if (head.ok() && set != nullptr && set->commit == *head &&
                        set->scope == state->settings.scope) {
                      reading.set = set;
                    }
                  }
                  if (head.ok() && reading.set == nullptr) {
                    const SetSource source{git_,          repo->name,  {}, state->settings.scope,
                                           view.schema(), *repo->cache};
                    auto set = ReadSet(source, *head, near.get());
                    reading.status = set.status();
                    if (set.ok()) reading.set = *set;
                  }
                }
                if (reading.set != nullptr) {
                  reading.plan = PlanSync(view, *state, *reading.set, options, context);
                }
                return [this, repo, epoch, reading = std::move(reading)]() mutable {
                  if (repo->epoch == epoch) Planned(repo, std::move(reading));
                };
              });
}

void SyncEngine::Planned(const RepoPtr& repo, Reading reading) {
  if (reading.nothing) {
    repo->active = false;
    return EndSession(repo, "nothing to deploy");
  }
  if (!reading.status.ok()) return Retry(repo, std::string(reading.status.message()));
  repo->inventory = reading.inventory;
  repo->set = repo->latest = reading.set;
  Apply(repo, std::move(reading.plan));
}

void SyncEngine::Apply(const RepoPtr& repo, SyncPlan plan) {
  for (int attempt = 0;; ++attempt) {
    if (!plan.errors.empty()) {
      if (repo->session != nullptr) PrintErrors(plan.errors, "", *repo->session);
      return Retry(repo, plan.errors.front().ToString());
    }
    const auto committed = store_.Commit(plan.transaction);
    if (committed.ok()) break;
    if (committed.status().code() != Code::kConflict || attempt == kConflictRetries) {
      return Retry(repo, std::string(committed.status().message()));
    }
    // Something moved since the worker looked: plan again on what is there now.
    const state::DraftContext context = Context(*repo);
    const auto state = ReadState(store_.view(), Known(repo));
    if (!state.ok()) return Retry(repo, std::string(state.status().message()));
    repo->since_plan.clear();
    plan = PlanSync(store_.view(), *state, *repo->set, repo->options, context);
  }
  repo->between_waves = !plan.complete;
  if (plan.complete) {
    repo->applied = repo->set;
    repo->left = plan.unsure;
    repo->unsure = std::move(plan.unsure);
    repo->unsure.merge(repo->since_plan);
  }
  repo->wave_complete = plan.complete;
  store_.WhenDurable(store_.revision(), Guarded(repo, [this, repo, complete = plan.complete] {
                       Applied(repo, complete);
                     }));
}

void SyncEngine::Applied(const RepoPtr& repo, bool complete) {
  if (repo->session != nullptr && complete) {
    repo->session->Print("applied " + ShortCommit(repo->set->commit));
  }
  if (repo->all_settled) {
    for (const state::Key& key : repo->unsettled) {
      if (repo->set->Find(key) != nullptr) repo->unhealthy.insert(key);
    }
  } else {
    for (const Manifest& manifest : repo->set->manifests) {
      if (!IsInert(manifest.key)) repo->unhealthy.insert(repo->unhealthy.end(), manifest.key);
    }
  }
  if (!repo->drifted.empty()) ScheduleRepair(repo, options_.drift_delay);
  Watch(repo);
}

// The wait for what was applied.

void SyncEngine::Watch(const RepoPtr& repo) {
  LookAtHealth(repo, repo->unhealthy);
  if (!repo->active || repo->unhealthy.empty()) return;
  Condition(repo, "Unknown", "Progressing", "waiting for what was applied to become healthy");
  loop_.After(options_.health_limit, Guarded(repo, [this, repo, set = repo->set] {
                if (repo->active && !repo->unhealthy.empty() && repo->set == set) {
                  const state::Key& key = *repo->unhealthy.begin();
                  Fail(repo, key,
                       key.ToString() + " did not become healthy within " +
                           options_.health_limit.ToString() + ": " + repo->told[key]);
                }
              }));
}

void SyncEngine::LookAtHealth(const RepoPtr& repo, const std::set<state::Key>& keys) {
  const state::View& view = store_.view();
  for (const state::Key& key : std::set<state::Key>(keys)) {
    const state::ObjectPtr object = view.Get(key);
    // In a later wave, or deleted: the next plan looks after it.
    const Health health = object == nullptr ? Health() : HealthOf(*object, view);
    std::string& told = repo->told[key];
    if (repo->session != nullptr && object != nullptr && told != health.reason &&
        !health.reason.empty()) {
      repo->session->Print(key.ToString() + "  " + health.reason);
    }
    told = health.reason;
    if (health.level == Health::Level::kFailed) {
      return Fail(repo, key, key.ToString() + ": " + health.reason);
    }
    if (health.level == Health::Level::kHealthy) repo->unhealthy.erase(key);
  }
  if (!repo->unhealthy.empty()) return;
  if (!repo->wave_complete) return Attempt(repo);
  repo->all_settled = true;
  repo->unsettled.clear();
  Settle(repo, DeployOutcome::kHealthy, "healthy");
}

void SyncEngine::Retry(const RepoPtr& repo, const std::string& message) {
  const base::Duration delay = options_.retry.After(++repo->failures);
  base::LogWarning("deploy failed, trying again",
                   {{"repository", repo->name}, {"after", delay.ToString()}, {"why", message}});
  if (repo->session != nullptr) {
    repo->session->Print("not applied: " + message + "; trying again in " + delay.ToString());
  }
  Condition(repo, "False", "ReconciliationFailed", message);
  loop_.After(delay, Guarded(repo, [this, repo] { Attempt(repo); }));
}

// A failure ends the deploy once the last words of the container at fault are there, or do not
// come.
void SyncEngine::Fail(const RepoPtr& repo, const state::Key& failed, const std::string& message) {
  const state::Key key = failed;  // it may be one of those forgotten here
  repo->unhealthy.clear();
  const state::ObjectPtr object = store_.view().Get(key);
  const std::optional<Trouble> trouble =
      object == nullptr ? std::nullopt : FindTrouble(*object, store_.view());
  if (!options_.container_log || !trouble || !trouble->crashed) {
    return Settle(repo, DeployOutcome::kFailed, message);
  }
  const auto log = std::make_shared<std::string>();
  const base::Loop::Task end = Guarded(repo, [this, repo, message, log, trouble] {
    const std::vector<std::string> lines = LastLines(*log);
    if (repo->session != nullptr && !lines.empty()) {
      repo->session->Print("the last lines of pod " + trouble->pod->key.name + ", container " +
                           trouble->container + ":");
      for (const std::string& line : lines) repo->session->Print("  | " + line);
    }
    Settle(repo, DeployOutcome::kFailed, message, RecordedLines(lines));
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

void SyncEngine::Settle(const RepoPtr& repo, DeployOutcome outcome, const std::string& message,
                        const std::string& last_words) {
  repo->active = false;
  ++repo->epoch;  // nothing that still runs for it counts
  const std::string commit = repo->set == nullptr ? "" : ShortCommit(repo->set->commit);
  if (repo->set != nullptr) RecordEnd(repo, outcome, message + last_words);
  if (outcome == DeployOutcome::kHealthy) {
    EndSession(repo, "healthy " + commit);
  } else if (outcome == DeployOutcome::kFailed) {
    EndSession(repo, "failed " + commit + ": " + message);
  } else {
    EndSession(repo, message);  // the deploy that supersedes it is the history's to tell
  }
  if (repo->again && outcome != DeployOutcome::kSuperseded) {
    loop_.Post(lifeline_.Wrap([this, repo] {
      if (repo->again && !repo->active) Begin(repo, PushOptions(), nullptr);
    }));
  }
}

// The condition, the record that Git is told from and the webhooks: one transaction, so that a
// crash neither loses nor repeats any of them.
void SyncEngine::RecordEnd(const RepoPtr& repo, DeployOutcome outcome, const std::string& message) {
  state::Draft draft(store_.view(), Context(*repo));
  Status status;
  if (outcome == DeployOutcome::kHealthy) {
    status = RecordCondition(draft, repo->name, "Ready", "True", "ReconciliationSucceeded",
                             "applied " + repo->set->commit);
  } else if (outcome == DeployOutcome::kFailed) {
    status = RecordCondition(draft, repo->name, "Ready", "False", "HealthCheckFailed", message);
  }
  Settlement settlement;
  settlement.repository = repo->name;
  settlement.outcome = outcome;
  settlement.revision = RevisionText(BranchOf(draft.view(), repo->name), repo->set->commit);
  if (outcome == DeployOutcome::kFailed) settlement.message = message;
  // That a deploy was superseded stands in the history since the next one began.
  if (status.ok() && outcome != DeployOutcome::kSuperseded) {
    const bool healthy = outcome == DeployOutcome::kHealthy;
    status = RecordDeploy(draft, repo->name,
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
                     {{"repository", repo->name}, {"why", std::string(status.message())}});
  }
}

void SyncEngine::EndSession(const RepoPtr& repo, const std::string& line) {
  if (repo->session == nullptr) return;
  repo->session->Print(line);
  repo->session->Finish(0);
  repo->session = nullptr;
}

void SyncEngine::Condition(const RepoPtr& repo, std::string_view value, std::string_view reason,
                           const std::string& message) {
  Record(repo, [&](state::Draft& draft) {
    return RecordCondition(draft, repo->name, "Ready", value, reason, message);
  });
}

void SyncEngine::Record(const RepoPtr& repo, const std::function<Status(state::Draft&)>& write) {
  state::Draft draft(store_.view(), Context(*repo));
  Status status = write(draft);
  if (status.ok()) status = store_.Commit(draft.Finish()).status();
  if (!status.ok()) {
    base::LogWarning("a repository's status was not recorded",
                     {{"repository", repo->name}, {"why", std::string(status.message())}});
  }
}

}  // namespace gitsync
