// SyncEngine: keeps the state as the repositories' deploy branches say. It judges pushes before
// they are accepted, applies the head, waits until it is healthy, and puts back what others change.
//
// Loop only. Reading Git and planning happen on workers, one at a time for each repository; what
// they planned commits on the loop. The Store, GitStore and Loop outlive the engine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/subscription.h"
#include "gitsync/deploy/container_log.h"
#include "gitsync/deploy/health.h"
#include "gitsync/deploy/settlement.h"
#include "gitsync/plan/plan.h"
#include "gitsync/plan/repository.h"
#include "gitsync/source/git.h"
#include "gitsync/source/push.h"
#include "state/store.h"
#include "state/writer.h"

namespace gitsync {

struct EngineOptions {
  std::string url_base = "https://localhost/git";  // of the GitRepositories' URLs
  base::Backoff retry{base::Duration::Seconds(1), base::Duration::Minutes(5)};
  base::Duration repair_retry = base::Duration::Seconds(5);
  base::Duration drift_delay = base::Duration::Millis(200);   // so that a burst is one repair
  base::Duration health_delay = base::Duration::Millis(100);  // likewise
  base::Duration health_limit = base::Duration::Minutes(15);  // of one wait
  ContainerLog container_log;  // absent: a failure is told without the container's last words
  base::Duration log_limit = base::Duration::Seconds(5);
  // How long an accepted push may go without its post-receive hook: the hook may be killed after
  // the ref has moved.
  base::Duration hook_limit = base::Duration::Seconds(10);
};

class SyncEngine {
 public:
  // `context.seed` must differ from that of every earlier engine over the same data. Brings every
  // repository that the state records to its head.
  SyncEngine(base::Loop& loop, state::Store& store, GitStore& git,
             const state::DraftContext& context, EngineOptions options = {});

  // Creates the bare repository and its objects; `done` runs when they are durable.
  void CreateRepository(const std::string& name, const RepositorySettings& settings,
                        std::function<void(base::Status)> done);
  // Forgets the repository. What it deployed stays, and belongs to nobody.
  void DeleteRepository(const std::string& name, std::function<void(base::Status)> done);

  // The two ends of a push. PreReceive finishes the session with the verdict; PostReceive when the
  // deploy has ended, or at once if nothing is to be waited for.
  void PreReceive(PushRequest request, std::shared_ptr<HookSession> session);
  void PostReceive(PushRequest request, std::shared_ptr<HookSession> session);

  // A repository as a plan of it starts from: what the state records, and what this remembers.
  // kNotFound.
  base::Result<RepositoryState> Recall(const std::string& name) const;

  // No repository has anything to read, apply or wait for.
  bool Idle() const;

 private:
  struct Repo;
  struct Reading;
  using RepoPtr = std::shared_ptr<Repo>;

  RepoPtr Find(const std::string& name) const;
  RepoPtr AddRepo(const std::string& name);
  void RunOnWorker(const RepoPtr& repo, std::function<base::Loop::Task()> work);
  void Pump(const RepoPtr& repo);
  state::DraftContext Context(const Repo& repo);

  void Check(const RepoPtr& repo, const PushRequest& request, const RefUpdate& update,
             const PushOptions& options, std::shared_ptr<HookSession> session);
  void ExpectPostReceive(const RepoPtr& repo, const std::string& commit);
  // `commit` is what was pushed; empty if there was no push.
  void Begin(const RepoPtr& repo, const PushOptions& options, std::shared_ptr<HookSession> session,
             const std::string& commit = "");
  void Attempt(const RepoPtr& repo);
  void Planned(const RepoPtr& repo, Reading reading);
  void Apply(const RepoPtr& repo, SyncPlan plan);
  void Applied(const RepoPtr& repo, bool complete);
  void Watch(const RepoPtr& repo);
  void LookAtHealth(const RepoPtr& repo, const std::set<state::Key>& keys);
  void Retry(const RepoPtr& repo, const std::string& message);
  void Fail(const RepoPtr& repo, const state::Key& key, const std::string& message);
  void Settle(const RepoPtr& repo, DeployOutcome outcome, const std::string& message,
              const std::string& last_words = "");
  void RecordEnd(const RepoPtr& repo, DeployOutcome outcome, const std::string& message);
  void EndSession(const RepoPtr& repo, const std::string& line);
  void Condition(const RepoPtr& repo, std::string_view value, std::string_view reason,
                 const std::string& message);
  void Record(const RepoPtr& repo, const std::function<base::Status(state::Draft&)>& write);
  RepositoryState Known(const RepoPtr& repo) const;

  void Changed(const state::Change& change);
  void NoteHealth(const state::Change& change);
  void TryLeftAgain(const state::Change& change);
  state::Key RootOf(const state::Object& object) const;
  void ScheduleRepair(const RepoPtr& repo, base::Duration delay);
  void Repair(const RepoPtr& repo);

  // A task that runs only while this lives and `repo` is at the same deploy.
  base::Loop::Task Guarded(const RepoPtr& repo, base::Loop::Task task) const;

  base::Loop& loop_;
  state::Store& store_;
  GitStore& git_;
  const EngineOptions options_;
  state::Writer writer_;
  std::map<std::string, RepoPtr> repos_;
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

}  // namespace gitsync
