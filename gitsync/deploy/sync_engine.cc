// Sources and applications come and go with the objects that record them; each source has a queue
// of work, done by one worker at a time. At the start every application is brought to its head,
// whatever the last process was at; and so is one whose Kustomization is made or changed.
#include "gitsync/deploy/sync_engine.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Status;

namespace {

Status DeleteIfThere(state::Draft& draft, const state::Key& key) {
  if (draft.view().Get(key) == nullptr) return Status();
  return draft.Delete(key, state::DeleteOptions()).status();
}

}  // namespace

std::string DeployRef(std::string_view branch) { return "refs/heads/" + std::string(branch); }

void PrintErrors(const std::vector<SourceError>& errors, const std::string& prefix,
                 HookSession& session) {
  const std::vector<std::string> lines = LinesOf(errors);
  for (size_t i = 0; i < lines.size() && i < kMaxErrorLines; ++i) session.Print(prefix + lines[i]);
  if (lines.size() > kMaxErrorLines) {
    session.Print("... and " + std::to_string(lines.size() - kMaxErrorLines) + " more");
  }
}

SyncEngine::SyncEngine(base::Loop& loop, state::Store& store, GitStore& git,
                       const state::DraftContext& context, EngineOptions options)
    : loop_(loop),
      store_(store),
      git_(git),
      options_(std::move(options)),
      writer_(loop, store, context, state::ProgramActor(kFieldManager)),
      looks_(loop, [this] { return LookNext(); }),
      beginning_(loop, [this] { return BeginNext(); }) {
  DropOrphans();
  on_commit_ = store_.OnCommit([this](const state::Change& change) { Changed(change); });
  for (const std::string& name : SourceNames(store_.view())) AddSource(name);
  for (const std::string& name : ApplicationNames(store_.view())) AddApp(name);
  // Only now: each has to know what the others of its source deploy.
  for (const auto& [name, app] : apps_) Begin(app, Start());
}

// An inventory outlives its Kustomization by a transaction, which a crash may keep from coming; one
// of that name that comes later must not prune by it.
void SyncEngine::DropOrphans() {
  state::Draft draft(store_.view(), writer_.NewContext());
  for (const state::ObjectPtr& inventory : store_.view().List(kInventories, kSystemNamespace)) {
    if (store_.view().Get(KustomizationKey(inventory->key.name)) != nullptr) continue;
    const Status dropped = DeleteIfThere(draft, inventory->key);
    if (!dropped.ok())
      base::LogWarning("an inventory stays", {{"why", std::string(dropped.message())}});
  }
  const state::Transaction transaction = draft.Finish();
  if (transaction.writes.empty()) return;
  const Status committed = store_.Commit(transaction).status();
  if (!committed.ok())
    base::LogWarning("inventories stay", {{"why", std::string(committed.message())}});
}

bool SyncEngine::Idle() const {
  return to_begin_.empty() &&
         std::all_of(apps_.begin(), apps_.end(),
                     [](const auto& entry) {
                       return !entry.second->deploy && !entry.second->repair_scheduled;
                     }) &&
         std::all_of(sources_.begin(), sources_.end(),
                     [](const auto& entry) { return !entry.second->busy; });
}

SyncEngine::SourcePtr SyncEngine::FindSource(const std::string& name) const {
  const auto found = sources_.find(name);
  return found == sources_.end() ? nullptr : found->second;
}

SyncEngine::AppPtr SyncEngine::Find(const std::string& name) const {
  const auto found = apps_.find(name);
  return found == apps_.end() ? nullptr : found->second;
}

SyncEngine::SourcePtr SyncEngine::AddSource(const std::string& name) {
  SourcePtr& source = sources_[name];
  if (source != nullptr) return source;
  source = std::make_shared<Source>();
  source->name = name;
  source->reader = std::make_shared<SourceReader>(git_, name);
  return source;
}

// The Kustomization is there.
SyncEngine::AppPtr SyncEngine::AddApp(const std::string& name) {
  AppPtr& app = apps_[name];
  app = std::make_shared<App>();
  app->name = name;
  app->actor = state::ProgramActor(kFieldManager);
  const state::ObjectPtr object = store_.view().Get(KustomizationKey(name));
  app->generation = object->Generation();
  app->requested = RequestedAt(*object);
  Join(app, SourceOf(*object));
  return app;
}

void SyncEngine::Join(const AppPtr& app, const std::string& source) {
  Unjoin(*app);
  app->source_name = source;
  by_source_[source].insert(app->name);
  app->source = FindSource(source);
  if (app->source != nullptr) app->source->applications.insert(app->name);
}

// From its source.
void SyncEngine::Unjoin(const App& app) {
  if (app.source != nullptr) app.source->applications.erase(app.name);
  const auto siblings = by_source_.find(app.source_name);
  if (siblings == by_source_.end()) return;
  siblings->second.erase(app.name);
  if (siblings->second.empty()) by_source_.erase(siblings);
}

void SyncEngine::Leave(const AppPtr& app, const std::string& why) {
  Stop(app, DeployPhase::kFailed, why);
  Unjoin(*app);
  leaving_.erase(app->name);
  apps_.erase(app->name);
}

// What is read here was just committed; what follows from it is another transaction.
void SyncEngine::Follow(const state::Change& change) {
  const state::Key& key = change.key();
  if (key.ns != kSystemNamespace) return;
  if (key.resource == kKustomizations) return FollowKustomization(change);
  if (key.resource != kGitRepositories) return;
  const bool changed = change.removed || change.created() ||
                       change.object->Generation() != change.previous->Generation();
  if (!changed) return;
  change.removed ? (void)sources_.erase(key.name) : (void)AddSource(key.name);
  const auto named = by_source_.find(key.name);
  if (named == by_source_.end()) return;
  for (const std::string& name : std::set<std::string>(named->second)) {
    const AppPtr app = Find(name);
    Join(app, key.name);
    Redo(app, "since its GitRepository was changed");
  }
}

void SyncEngine::FollowKustomization(const state::Change& change) {
  const std::string& name = change.key().name;
  AppPtr app = Find(name);
  if (change.removed) {
    if (app == nullptr) return;
    Leave(app, "its Kustomization was deleted");
    if (app->source != nullptr) RedoWithheld(*app->source, name);
    return loop_.Post(lifeline_.Wrap([this, app] {
      if (Find(app->name) != nullptr) return;
      Record(app,
             [&](state::Draft& draft) { return DeleteIfThere(draft, InventoryKey(app->name)); });
    }));
  }
  const std::string_view requested = RequestedAt(*change.object);
  if (app == nullptr) {
    app = AddApp(name);
  } else if (app->generation == change.object->Generation()) {
    if (requested.empty() || app->requested == requested) return;
    app->requested = requested;
    return Redo(app, "since it was asked for again");
  }
  app->generation = change.object->Generation();
  app->requested = requested;
  if (app->source != nullptr) RedoWithheld(*app->source, name);
  Join(app, SourceOf(*change.object));
  if (app->source != nullptr) RedoWithheld(*app->source, name);
  Redo(app, "since its Kustomization was changed");
}

void SyncEngine::Redo(const AppPtr& app, const std::string& why, bool asked) {
  loop_.Post(lifeline_.Wrap([this, app, why, asked] {
    if (Find(app->name) != app) return;
    // What nobody asked of this one does not end a deploy under way: it follows.
    if (!asked && app->deploy) {
      app->again = true;
    } else {
      Begin(app, {.why = why, .asked = asked});
    }
  }));
}

// Of those that wait with pruning until it is clear what the others deploy.
void SyncEngine::RedoWithheld(const Source& source, const std::string& changed) {
  for (const std::string& name : source.applications) {
    const AppPtr app = Find(name);
    if (name == changed || !std::exchange(app->withheld, false)) continue;
    Redo(app, "since application " + changed + " was changed", /*asked=*/false);
  }
}

// A transaction of this is one of the application's: what it changes of its own is no drift.
state::DraftContext SyncEngine::Context(const App& app) {
  state::DraftContext context = writer_.NewContext();
  context.actor = app.actor;
  return context;
}

// What a plan starts from, as the process knows it.
Application SyncEngine::Known(const App& app) const {
  Application known;
  known.name = app.name;
  known.inventory = app.inventory;
  known.applied = app.applied;
  std::set<state::Key> unsure;
  for (const auto& [key, touched] : app.unsure) unsure.insert(unsure.end(), key);
  known.unsure = std::make_shared<const std::set<state::Key>>(std::move(unsure));
  return known;
}

std::vector<Application> SyncEngine::KnownOf(const Source& source) const {
  std::vector<Application> known;
  for (const std::string& name : source.applications) known.push_back(Known(*apps_.at(name)));
  return known;
}

base::Loop::Task SyncEngine::Guarded(const AppPtr& app, base::Loop::Task task) const {
  return lifeline_.Wrap([app, epoch = app->epoch, task = std::move(task)] {
    if (app->epoch == epoch) task();
  });
}

void SyncEngine::RunOnWorker(const SourcePtr& source, std::function<base::Loop::Task()> work) {
  source->works.push_back(std::move(work));
  Pump(source);
}

void SyncEngine::Pump(const SourcePtr& source) {
  if (source->busy || source->works.empty()) return;
  source->busy = true;
  auto work = std::move(source->works.front());
  source->works.pop_front();
  loop_.Offload(
      [this, tie = lifeline_.tie(), source, work = std::move(work)]() -> base::Loop::Task {
        base::Loop::Task done = work();
        return tie.Wrap([this, source, done = std::move(done)] {
          source->busy = false;
          done();
          Pump(source);
        });
      });
}

void SyncEngine::CreateRepository(const std::string& name, const RepositorySettings& settings,
                                  std::function<void(Status)> done) {
  if (Status named = CheckRepositoryName(name); !named.ok()) return done(named);
  if (FindSource(name) != nullptr) {
    return done(Status(Code::kAlreadyExists, "repository \"" + name + "\" exists already"));
  }
  const SourcePtr source = AddSource(name);
  RunOnWorker(source, [this, source, settings, done = std::move(done)]() -> base::Loop::Task {
    const Status made = git_.Create(source->name, settings.branch);
    return [this, source, settings, done, made] {
      // A bare repository that a crash left without its objects is taken as it is.
      Status status = made.code() == Code::kAlreadyExists ? Status() : made;
      state::Draft draft(store_.view(), writer_.NewContext());
      if (status.ok()) {
        status = gitsync::CreateRepository(draft, source->name, settings,
                                           options_.url_base + "/" + source->name + ".git");
      }
      if (status.ok()) status = store_.Commit(draft.Finish()).status();
      if (!status.ok()) {
        sources_.erase(source->name);
        return done(status);
      }
      writer_.WhenDurable([done] { done(Status()); });
    };
  });
}

void SyncEngine::DeleteRepository(const std::string& name, std::function<void(Status)> done) {
  const SourcePtr source = FindSource(name);
  if (source == nullptr) return done(NoRepository(name));
  for (const std::string& each : source->applications) {
    Stop(Find(each), DeployPhase::kFailed, "the repository was deleted");
  }
  RunOnWorker(source, [this, source, done = std::move(done)]() -> base::Loop::Task {
    const Status gone = git_.Delete(source->name);
    return [this, source, done, gone] {
      if (!gone.ok() && gone.code() != Code::kNotFound) return done(gone);
      state::Draft draft(store_.view(), writer_.NewContext());
      Status status;
      for (const std::string& each : source->applications) {
        if (status.ok()) status = DeleteIfThere(draft, KustomizationKey(each));
        if (status.ok()) status = DeleteIfThere(draft, InventoryKey(each));
      }
      if (status.ok()) status = DeleteIfThere(draft, GitRepositoryKey(source->name));
      if (status.ok()) status = store_.Commit(draft.Finish()).status();
      if (!status.ok()) return done(status);
      sources_.erase(source->name);
      writer_.WhenDurable([done] { done(Status()); });
    };
  });
}

base::Result<std::vector<Application>> SyncEngine::Recall(const std::string& name) const {
  SourcePtr source = FindSource(name);
  if (source == nullptr) {
    const AppPtr app = Find(name);
    if (app != nullptr) source = app->source;
  }
  if (source == nullptr) return NoRepository(name);
  std::vector<Application> applications;
  for (const Application& known : KnownOf(*source)) {
    auto state = ReadState(store_.view(), known);
    // Who cannot be read is named; what it deploys is not known.
    applications.push_back(state.ok() ? *std::move(state) : known);
  }
  return applications;
}

}  // namespace gitsync
