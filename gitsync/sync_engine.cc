// A deploy of the branch's head goes: read and plan (worker) -> commit (loop) -> wait until what
// was applied is healthy -> the next wave, if there is one -> settled. Each step is
// level-triggered: a crash between two of them loses nothing, since the start brings every
// repository to its head again, and what is applied already is not written twice.
//   - A newer push ends whatever an older one still does: every step first asks whether the deploy
//     it belongs to is still the latest (Guarded).
//   - Whatever fails is tried again with growing delay, until it works or a newer commit comes.
//   - References are judged when a push is checked; once it is accepted, they only warn.
//   - Drift is looked for where a change says so, never by polling, and not in the middle of a
//     deploy.
#include "gitsync/sync_engine.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "gitsync/apply_manifest.h"
#include "gitsync/git_rules.h"
#include "gitsync/read_set.h"
#include "gitsync/webhook_event.h"

namespace gitsync {

using base::Code;
using base::Status;

namespace {

constexpr size_t kMaxErrorLines = 200;  // of a refused push; the rest is counted
constexpr int kConflictRetries = 3;     // plans made anew on the loop
constexpr std::string_view kStatusBranch = "refs/heads/plumb/";
constexpr std::string_view kNotes = "refs/notes/";

std::string Short(const std::string& commit) { return commit.substr(0, 12); }

std::string DeployRef(const RepositoryState& state) {
  return "refs/heads/" + state.settings.branch;
}

void PrintErrors(const std::vector<SourceError>& errors, const std::string& prefix,
                 HookSession& session) {
  for (size_t i = 0; i < errors.size() && i < kMaxErrorLines; ++i) {
    session.Print(prefix + errors[i].ToString());
  }
  if (errors.size() > kMaxErrorLines) {
    session.Print("... and " + std::to_string(errors.size() - kMaxErrorLines) + " more");
  }
}

void Refuse(HookSession& session, const std::string& sentence) {
  session.Print(sentence);
  session.Finish(1);
}

// What everybody but the status's writers may change.
bool SameBesidesStatus(const state::Object& a, const state::Object& b) {
  for (const char* field : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    if (!(a.Meta(field) == b.Meta(field))) return false;
  }
  if (a.Deleting() != b.Deleting()) return false;
  const auto covered = [](const state::Object& all, const state::Object& by) {
    for (const auto& [field, value] : all.document.root().Members()) {
      if (field != "metadata" && field != "status" && !(value == by[field])) return false;
    }
    return true;
  };
  return covered(a, b) && covered(b, a);
}

// `known` brought up to `view`.
base::Result<RepositoryState> ReadState(const state::View& view, const RepositoryState& known,
                                        const state::DraftContext& context) {
  ASSIGN_OR_RETURN(RepositoryState state, ReadRepository(view, known.name));
  state.inventory = ReadInventory(view, *context.schema, known.name, known.inventory);
  state.applied = known.applied;
  state.unsure = known.unsure;
  return state;
}

}  // namespace

struct SyncEngine::Repo {
  std::string name;

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
  int failures = 0;
  bool wave_complete = false;
  std::set<state::Key> unhealthy, to_look_at;  // the latter of the former, once health_scheduled
  std::map<state::Key, std::string> told;      // the last progress line of each
  bool health_scheduled = false;

  std::set<state::Key> drifted;
  bool repair_scheduled = false;
};

struct SyncEngine::Reading {
  Status status;
  bool nothing = false;  // the branch does not exist yet
  Inventory inventory;
  std::shared_ptr<const ManifestSet> set;
  SyncPlan plan;
};

SyncEngine::SyncEngine(base::Loop& loop, state::Store& store, GitStore& git,
                       const state::DraftContext& context, EngineOptions options)
    : loop_(loop),
      store_(store),
      git_(git),
      context_(context),
      options_(std::move(options)),
      seeds_(context.seed) {
  store_.OnCommit([this, alive = alive_](const state::Change& change) {
    if (*alive) Changed(change);
  });
  for (const std::string& name : RepositoryNames(store_.view())) {
    Begin(AddRepo(name), PushOptions(), nullptr);
  }
}

SyncEngine::~SyncEngine() { *alive_ = false; }

bool SyncEngine::Idle() const {
  return std::all_of(repos_.begin(), repos_.end(), [](const auto& entry) {
    const Repo& repo = *entry.second;
    return !repo.active && !repo.busy && !repo.repair_scheduled;
  });
}

SyncEngine::RepoPtr SyncEngine::Find(const std::string& name) const {
  const auto found = repos_.find(name);
  return found == repos_.end() ? nullptr : found->second;
}

SyncEngine::RepoPtr SyncEngine::AddRepo(const std::string& name) {
  RepoPtr& repo = repos_[name];
  if (repo == nullptr) repo = std::make_shared<Repo>();
  repo->name = name;
  return repo;
}

state::DraftContext SyncEngine::Context() {
  state::DraftContext context = context_;
  context.now = loop_.now().wall;
  context.seed = seeds_.Next();
  return context;
}

base::Result<state::Store::Committed> SyncEngine::Commit(state::Transaction transaction,
                                                         const Repo* repo) {
  if (transaction.empty()) return state::Store::Committed{};
  committing_ = repo;
  auto committed = store_.Commit(std::move(transaction));
  committing_ = nullptr;
  return committed;
}

// What a plan starts from, as the process knows it.
RepositoryState SyncEngine::Known(const RepoPtr& repo) const {
  RepositoryState known;
  known.name = repo->name;
  known.inventory = repo->inventory;
  known.applied = repo->applied;
  known.unsure = std::make_shared<const std::set<state::Key>>(repo->unsure);
  return known;
}

base::Loop::Task SyncEngine::Guarded(const RepoPtr& repo, base::Loop::Task task) const {
  return [alive = alive_, repo, epoch = repo->epoch, task = std::move(task)] {
    if (*alive && repo->epoch == epoch) task();
  };
}

void SyncEngine::RunOnWorker(const RepoPtr& repo, std::function<base::Loop::Task()> work) {
  repo->works.push_back(std::move(work));
  Pump(repo);
}

void SyncEngine::Pump(const RepoPtr& repo) {
  if (repo->busy || repo->works.empty()) return;
  repo->busy = true;
  auto work = std::move(repo->works.front());
  repo->works.pop_front();
  loop_.Offload([this, alive = alive_, repo, work = std::move(work)]() -> base::Loop::Task {
    base::Loop::Task done = work();
    return [this, alive, repo, done = std::move(done)] {
      if (!*alive) return;
      repo->busy = false;
      done();
      Pump(repo);
    };
  });
}

void SyncEngine::CreateRepository(const std::string& name, const RepositorySettings& settings,
                                  std::function<void(Status)> done) {
  if (Status named = CheckRepositoryName(name); !named.ok()) return done(named);
  if (Find(name) != nullptr) {
    return done(Status(Code::kAlreadyExists, "repository \"" + name + "\" exists already"));
  }
  const RepoPtr repo = AddRepo(name);
  RunOnWorker(repo, [this, repo, settings, done = std::move(done)]() -> base::Loop::Task {
    const Status made = git_.Create(repo->name, settings.branch);
    return [this, repo, settings, done, made] {
      // A bare repository that a crash left without its objects is taken as it is.
      Status status = made.code() == Code::kAlreadyExists ? Status() : made;
      state::Draft draft(store_.view(), Context());
      if (status.ok()) {
        status = gitsync::CreateRepository(draft, repo->name, settings,
                                           options_.url_base + "/" + repo->name + ".git");
      }
      if (status.ok()) status = Commit(draft.Finish(), repo.get()).status();
      if (!status.ok()) {
        repos_.erase(repo->name);
        return done(status);
      }
      store_.WhenDurable(store_.revision(), [done] { done(Status()); });
    };
  });
}

void SyncEngine::DeleteRepository(const std::string& name, std::function<void(Status)> done) {
  const RepoPtr repo = Find(name);
  if (repo == nullptr) {
    return done(Status(Code::kNotFound, "there is no repository \"" + name + "\""));
  }
  EndSession(repo, "the repository was deleted");
  ++repo->epoch;
  RunOnWorker(repo, [this, repo, done = std::move(done)]() -> base::Loop::Task {
    const Status gone = git_.Delete(repo->name);
    return [this, repo, done, gone] {
      if (!gone.ok() && gone.code() != Code::kNotFound) return done(gone);
      state::Draft draft(store_.view(), Context());
      Status status;
      for (const state::Key& key :
           {KustomizationKey(repo->name),
            state::Key{std::string(kInventories), std::string(kSystemNamespace), repo->name},
            state::Key{std::string(kGitRepositories), std::string(kSystemNamespace), repo->name}}) {
        if (status.ok() && draft.view().Get(key) != nullptr) {
          status = draft.Delete(key, state::DeleteOptions()).status();
        }
      }
      if (status.ok()) status = Commit(draft.Finish(), repo.get()).status();
      if (!status.ok()) return done(status);
      repos_.erase(repo->name);
      store_.WhenDurable(store_.revision(), [done] { done(Status()); });
    };
  });
}

// The two ends of a push.

void SyncEngine::PreReceive(PushRequest request, std::shared_ptr<HookSession> session) {
  const RepoPtr repo = Find(request.repository);
  const auto state = ReadRepository(store_.view(), request.repository);
  if (repo == nullptr || !state.ok())
    return Refuse(*session, std::string(state.status().message()));
  const base::Result<PushOptions> options = ParsePushOptions(request.options);
  if (!options.ok()) return Refuse(*session, std::string(options.status().message()));
  const RefUpdate* deploy = nullptr;
  for (const RefUpdate& update : request.updates) {
    // A branch "plumb" would leave no room for plumb/status.
    if (update.ref.starts_with(kStatusBranch) || update.ref.starts_with(kNotes) ||
        update.ref + "/" == kStatusBranch) {
      return Refuse(*session, update.ref + " is written by plumb alone; push to another ref");
    }
    if (update.ref != DeployRef(*state)) continue;
    if (update.new_oid == kZeroOid) {
      return Refuse(*session, "the deploy branch " + state->settings.branch +
                                  " cannot be deleted; to take everything down, push a commit "
                                  "without manifests with -o allow-empty");
    }
    deploy = &update;
  }
  if (deploy != nullptr) return Check(repo, request, *deploy, *options, std::move(session));
  if (options->dry_run) return Refuse(*session, "dry run: nothing here would be deployed");
  session->Finish(0);
}

void SyncEngine::Check(const RepoPtr& repo, const PushRequest& request, const RefUpdate& update,
                       const PushOptions& options, std::shared_ptr<HookSession> session) {
  RunOnWorker(
      repo,
      [this, repo, commit = update.new_oid, quarantine = request.quarantine, options, session,
       view = store_.view(), context = Context(), known = Known(repo),
       near = repo->latest]() -> base::Loop::Task {
        auto state = ReadState(view, known, context);
        if (!state.ok()) {
          return [session, status = state.status()] {
            Refuse(*session, std::string(status.message()));
          };
        }
        const SetSource source{
            git_, repo->name, quarantine, state->settings.scope, *context.schema, *repo->cache};
        auto set = ReadSet(source, commit, near.get());
        if (!set.ok()) {
          return [session, status = set.status()] {
            Refuse(*session, "the commit could not be read: " + std::string(status.message()));
          };
        }
        auto plan =
            std::make_shared<const SyncPlan>(PlanSync(view, *state, **set, options, context));
        return [this, repo, options, session, set = *set, plan, inventory = state->inventory] {
          repo->inventory = inventory;
          PrintErrors(plan->warnings, "warning: ", *session);
          if (!plan->errors.empty()) {
            PrintErrors(plan->errors, "", *session);
            return Refuse(*session, "refused: " + std::to_string(plan->errors.size()) +
                                        (plan->errors.size() == 1 ? " error" : " errors") +
                                        ", nothing was changed");
          }
          for (const std::string& line : PlanLines(*plan)) session->Print(line);
          if (options.dry_run) return Refuse(*session, "dry run: nothing was pushed");
          repo->checked = repo->latest = set;
          ExpectPostReceive(repo, set->commit);
          session->Finish(0);
        };
      });
}

// A push may end between its ref and its hook; the branch is then looked at without being told.
void SyncEngine::ExpectPostReceive(const RepoPtr& repo, const std::string& commit) {
  repo->expected = commit;
  loop_.After(options_.hook_limit, [this, alive = alive_, repo, commit] {
    if (!*alive || repo->expected != commit) return;
    repo->expected.clear();
    Begin(repo, PushOptions(), nullptr);
  });
}

void SyncEngine::PostReceive(PushRequest request, std::shared_ptr<HookSession> session) {
  const RepoPtr repo = Find(request.repository);
  const auto state = ReadRepository(store_.view(), request.repository);
  const auto options = ParsePushOptions(request.options);
  const auto deploy = std::find_if(
      request.updates.begin(), request.updates.end(),
      [&](const RefUpdate& update) { return state.ok() && update.ref == DeployRef(*state); });
  if (repo == nullptr || deploy == request.updates.end()) return session->Finish(0);
  for (const RefUpdate& update : request.updates) {
    if (update.new_oid == repo->expected) repo->expected.clear();
  }
  const PushOptions chosen = options.ok() ? *options : PushOptions();
  Begin(repo, chosen, chosen.no_wait ? nullptr : session, deploy->new_oid);
  // Only now: whoever asks for the deploy once the push has returned finds it.
  if (!chosen.no_wait) return;
  session->Print("accepted; plumb wait tells how it ends");
  session->Finish(0);
}

base::Result<RepositoryState> SyncEngine::Recall(const std::string& name) const {
  const RepoPtr repo = Find(name);
  if (repo == nullptr) {
    return Status(Code::kNotFound,
                  "there is no repository \"" + name + "\"; plumb repo list names those there are");
  }
  return ReadState(store_.view(), Known(repo), context_);
}

// A deploy.

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
              [this, repo, epoch = repo->epoch, view = store_.view(), context = Context(),
               options = repo->options, known = Known(repo), near = repo->latest,
               sets = std::vector{repo->set, repo->checked, repo->applied}]() -> base::Loop::Task {
                Reading reading;
                auto state = ReadState(view, known, context);
                reading.status = state.status();
                if (state.ok()) {
                  reading.inventory = state->inventory;
                  const auto head = git_.Resolve(repo->name, DeployRef(*state));
                  reading.status = head.status();
                  reading.nothing = head.status().code() == Code::kNotFound;
                  for (const auto& set : sets) {
                    if (head.ok() && set != nullptr && set->commit == *head) reading.set = set;
                  }
                  if (head.ok() && reading.set == nullptr) {
                    const SetSource source{
                        git_, repo->name, {}, state->settings.scope, *context.schema, *repo->cache};
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
    const auto committed = Commit(plan.transaction, repo.get());
    if (committed.ok()) break;
    if (committed.status().code() != Code::kConflict || attempt == kConflictRetries) {
      return Retry(repo, std::string(committed.status().message()));
    }
    // Something moved since the worker looked: plan again on what is there now.
    const state::DraftContext context = Context();
    const auto state = ReadState(store_.view(), Known(repo), context);
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
    repo->session->Print("applied " + Short(repo->set->commit));
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
  base::Duration delay = options_.first_retry;
  for (int i = 0; i < repo->failures && delay < options_.longest_retry; ++i) delay = delay * 2;
  delay = std::min(delay, options_.longest_retry);
  ++repo->failures;
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
  options_.container_log({trouble->pod, trouble->container, trouble->previous},
                         [log, end](std::string text) {
                           *log = std::move(text);
                           end();
                         });
}

void SyncEngine::Settle(const RepoPtr& repo, DeployOutcome outcome, const std::string& message,
                        const std::string& last_words) {
  repo->active = false;
  ++repo->epoch;  // nothing that still runs for it counts
  const std::string commit = repo->set == nullptr ? "" : Short(repo->set->commit);
  if (repo->set != nullptr) RecordEnd(repo, outcome, message + last_words);
  if (outcome == DeployOutcome::kHealthy) {
    EndSession(repo, "healthy " + commit);
  } else if (outcome == DeployOutcome::kFailed) {
    EndSession(repo, "failed " + commit + ": " + message);
  } else {
    EndSession(repo, message);  // the deploy that supersedes it is the history's to tell
  }
  if (repo->again && outcome != DeployOutcome::kSuperseded) {
    loop_.Post([this, alive = alive_, repo] {
      if (*alive && repo->again && !repo->active) Begin(repo, PushOptions(), nullptr);
    });
  }
  if (!on_settled_ || repo->set == nullptr) return;
  on_settled_(Deploy{repo->name, BranchOf(store_.view(), repo->name), repo->set->commit,
                     repo->set->tree, outcome, message, repo->set});
}

// The condition, the record that Git is told from and the webhooks: one transaction, so that a
// crash neither loses nor repeats any of them.
void SyncEngine::RecordEnd(const RepoPtr& repo, DeployOutcome outcome, const std::string& message) {
  state::Draft draft(store_.view(), Context());
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
  if (status.ok()) status = Commit(draft.Finish(), repo.get()).status();
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
  state::Draft draft(store_.view(), Context());
  Status status = write(draft);
  if (status.ok()) status = Commit(draft.Finish(), repo.get()).status();
  if (!status.ok()) {
    base::LogWarning("a repository's status was not recorded",
                     {{"repository", repo->name}, {"why", std::string(status.message())}});
  }
}

// Drift.

void SyncEngine::Changed(const state::Change& change) {
  NoteHealth(change);
  TryLeftAgain(change);
  // Who deploys it, and who did until now.
  std::set<std::string> owners;
  for (const state::ObjectPtr& side : {change.previous, change.object}) {
    if (side != nullptr) owners.insert(std::string(side->Labels()[kOwnerLabel].AsString()));
  }
  for (const std::string& owner : owners) {
    const RepoPtr repo = owner.empty() ? nullptr : Find(owner);
    if (repo == nullptr) continue;
    if (!IsInert(change.key())) repo->unsettled.insert(change.key());
    if (!change.removed && !change.created() &&
        SameBesidesStatus(*change.object, *change.previous)) {
      continue;
    }
    repo->unsure.insert(change.key());
    if (committing_ == repo.get()) continue;
    repo->since_plan.insert(change.key());
    // Another repository takes it over, or it comes to be: neither is for us to put back.
    if (committing_ != nullptr || change.created()) continue;
    if (repo->applied == nullptr || repo->applied->Find(change.key()) == nullptr) continue;
    repo->drifted.insert(change.key());
    ScheduleRepair(repo, options_.drift_delay);
  }
}

void SyncEngine::TryLeftAgain(const state::Change& change) {
  const state::Key& key = change.key();
  const bool is_namespace = key.resource == "namespaces";
  if (!change.removed && !(is_namespace && change.created())) return;
  for (const auto& [name, repo] : repos_) {
    const bool left =
        std::any_of(repo->left.begin(), repo->left.end(), [&](const state::Key& each) {
          return each == key || (is_namespace && each.ns == key.name);
        });
    if (!left || std::exchange(repo->again, true)) continue;
    loop_.After(options_.drift_delay, [this, alive = alive_, repo = repo] {
      if (*alive && repo->again && !repo->active) Begin(repo, PushOptions(), nullptr);
    });
  }
}

// An object's health follows from its own status and from what was made for it.
void SyncEngine::NoteHealth(const state::Change& change) {
  std::optional<state::Key> root;
  for (const auto& [name, repo] : repos_) {
    if (!repo->active || repo->unhealthy.empty()) continue;
    if (!root) root = RootOf(change.object != nullptr ? *change.object : *change.previous);
    if (!repo->unhealthy.contains(*root)) continue;
    repo->to_look_at.insert(*root);
    if (repo->health_scheduled) continue;
    repo->health_scheduled = true;
    loop_.After(options_.health_delay, Guarded(repo, [this, repo = repo] {
                  repo->health_scheduled = false;
                  const std::set<state::Key> keys = std::exchange(repo->to_look_at, {});
                  if (repo->active && !repo->unhealthy.empty()) LookAtHealth(repo, keys);
                }));
  }
}

// What an object was made for: of a pod of a Deployment, the Deployment.
state::Key SyncEngine::RootOf(const state::Object& object) const {
  constexpr int kMostLevels = 4;
  state::Key root = object.key;
  base::Value owner = object.ControllerRef();
  state::ObjectPtr above;
  for (int level = 0; level < kMostLevels && owner.Exists(); ++level) {
    const manifests::Kind* kind =
        context_.schema->FindKind(owner["apiVersion"].AsString(), owner["kind"].AsString());
    if (kind == nullptr) break;
    root = state::Key{kind->Resource(), kind->namespaced ? root.ns : "",
                      std::string(owner["name"].AsString())};
    above = store_.view().Get(root);
    if (above == nullptr) break;
    owner = above->ControllerRef();
  }
  return root;
}

void SyncEngine::ScheduleRepair(const RepoPtr& repo, base::Duration delay) {
  if (repo->repair_scheduled || repo->between_waves) return;
  repo->repair_scheduled = true;
  loop_.After(delay, [this, alive = alive_, repo] {
    if (!*alive) return;
    repo->repair_scheduled = false;
    if (Find(repo->name) == repo && !repo->between_waves) Repair(repo);
  });
}

void SyncEngine::Repair(const RepoPtr& repo) {
  const auto state = ReadRepository(store_.view(), repo->name);
  if (!state.ok()) return;
  std::set<state::Key> keys = std::exchange(repo->drifted, {});
  // What another repository has taken over is no longer ours to put back.
  repo->inventory = ReadInventory(store_.view(), *context_.schema, repo->name, repo->inventory);
  std::erase_if(keys, [&](const state::Key& key) { return !repo->inventory.keys->contains(key); });
  RepairPlan plan = PlanRepair(store_.view(), repo->name, *repo->applied, keys, Context());
  const auto committed = Commit(std::move(plan.transaction), repo.get());
  if (committed.ok() && plan.errors.empty()) {
    for (const state::Key& key : plan.repaired) {
      base::LogInfo("put back as the repository says",
                    {{"repository", repo->name}, {"object", key.ToString()}});
    }
    return;
  }
  base::LogWarning("drift could not be put back, trying again",
                   {{"repository", repo->name},
                    {"why", committed.ok() ? plan.errors.front().ToString()
                                           : std::string(committed.status().message())}});
  repo->drifted.insert(keys.begin(), keys.end());
  ScheduleRepair(repo, options_.longest_retry / 60);
}

}  // namespace gitsync
