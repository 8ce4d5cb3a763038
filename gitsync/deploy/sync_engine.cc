// Repositories come and go; each has a queue of work, done by one worker at a time. At the start
// every repository is brought to its head, whatever the last process was at.
#include "gitsync/deploy/sync_engine.h"

#include <algorithm>
#include <utility>

#include "gitsync/deploy/sync_repo.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Status;

std::string DeployRef(const RepositoryState& state) {
  return "refs/heads/" + state.settings.branch;
}

base::Result<RepositoryState> ReadState(const state::View& view, const RepositoryState& known) {
  ASSIGN_OR_RETURN(RepositoryState state, ReadRepository(view, known.name));
  state.inventory = ReadInventory(view, *view.schema(), known.name, known.inventory);
  state.applied = known.applied;
  state.unsure = known.unsure;
  return state;
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

SyncEngine::SyncEngine(base::Loop& loop, state::Store& store, GitStore& git,
                       const state::DraftContext& context, EngineOptions options)
    : loop_(loop),
      store_(store),
      git_(git),
      options_(std::move(options)),
      writer_(loop, store, context, state::ProgramActor(kFieldManager)) {
  on_commit_ = store_.OnCommit([this](const state::Change& change) { Changed(change); });
  for (const std::string& name : RepositoryNames(store_.view())) {
    Begin(AddRepo(name), PushOptions(), nullptr);
  }
}

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
  if (repo->actor == nullptr) repo->actor = state::ProgramActor(kFieldManager);
  return repo;
}

// A transaction of this is one of the repository's: what it changes of its own is no drift.
state::DraftContext SyncEngine::Context(const Repo& repo) {
  state::DraftContext context = writer_.NewContext();
  context.actor = repo.actor;
  return context;
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
  return lifeline_.Wrap([repo, epoch = repo->epoch, task = std::move(task)] {
    if (repo->epoch == epoch) task();
  });
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
  loop_.Offload([this, tie = lifeline_.tie(), repo, work = std::move(work)]() -> base::Loop::Task {
    base::Loop::Task done = work();
    return tie.Wrap([this, repo, done = std::move(done)] {
      repo->busy = false;
      done();
      Pump(repo);
    });
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
      state::Draft draft(store_.view(), Context(*repo));
      if (status.ok()) {
        status = gitsync::CreateRepository(draft, repo->name, settings,
                                           options_.url_base + "/" + repo->name + ".git");
      }
      if (status.ok()) status = store_.Commit(draft.Finish()).status();
      if (!status.ok()) {
        repos_.erase(repo->name);
        return done(status);
      }
      writer_.WhenDurable([done] { done(Status()); });
    };
  });
}

void SyncEngine::DeleteRepository(const std::string& name, std::function<void(Status)> done) {
  const RepoPtr repo = Find(name);
  if (repo == nullptr) return done(NoRepository(name));
  EndSession(repo, "the repository was deleted");
  ++repo->epoch;
  RunOnWorker(repo, [this, repo, done = std::move(done)]() -> base::Loop::Task {
    const Status gone = git_.Delete(repo->name);
    return [this, repo, done, gone] {
      if (!gone.ok() && gone.code() != Code::kNotFound) return done(gone);
      state::Draft draft(store_.view(), Context(*repo));
      Status status;
      for (const state::Key& key :
           {KustomizationKey(repo->name),
            state::Key{std::string(kInventories), std::string(kSystemNamespace), repo->name},
            state::Key{std::string(kGitRepositories), std::string(kSystemNamespace), repo->name}}) {
        if (status.ok() && draft.view().Get(key) != nullptr) {
          status = draft.Delete(key, state::DeleteOptions()).status();
        }
      }
      if (status.ok()) status = store_.Commit(draft.Finish()).status();
      if (!status.ok()) return done(status);
      repos_.erase(repo->name);
      writer_.WhenDurable([done] { done(Status()); });
    };
  });
}

base::Result<RepositoryState> SyncEngine::Recall(const std::string& name) const {
  const RepoPtr repo = Find(name);
  if (repo == nullptr) return NoRepository(name);
  return ReadState(store_.view(), Known(repo));
}

}  // namespace gitsync
