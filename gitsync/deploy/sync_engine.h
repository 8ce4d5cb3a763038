// SyncEngine: keeps the state as the deploy branches of its sources say. It judges pushes before
// they are accepted, applies the head for each application, waits until it is healthy, and puts
// back what others change. Applications come, change and go with their Kustomizations.
//
// Loop only. Reading Git and planning happen on workers, one at a time for each source; what they
// planned commits on the loop. The Store, GitStore and Loop outlive the engine.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/piecework.h"
#include "base/subscription.h"
#include "gitsync/deploy/container_log.h"
#include "gitsync/deploy/deploy_plan.h"
#include "gitsync/deploy/push_reply.h"
#include "gitsync/plan/plan.h"
#include "gitsync/plan/push_verdict.h"
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
  // Of one wait, unless the Kustomization has a spec.timeout.
  base::Duration health_limit = base::Duration::Minutes(15);
  ContainerLog container_log;  // absent: a failure is told without the container's last words
  base::Duration log_limit = base::Duration::Seconds(5);
  // How long an accepted push may go without its post-receive hook: the hook may be killed after
  // the ref has moved.
  base::Duration hook_limit = base::Duration::Seconds(10);
};

class SyncEngine {
 public:
  // `context.seed` must differ from that of every earlier engine over the same data. Brings every
  // application that the state records to its head.
  SyncEngine(base::Loop& loop, state::Store& store, GitStore& git,
             const state::DraftContext& context, EngineOptions options = {});

  // Creates the bare repository and its objects, a source with one application of its name; `done`
  // runs when they are durable.
  void CreateRepository(const std::string& name, const RepositorySettings& settings,
                        std::function<void(base::Status)> done);
  // Forgets the repository and its applications. What they deployed stays, and belongs to nobody.
  void DeleteRepository(const std::string& name, std::function<void(base::Status)> done);

  // The two ends of a push. PreReceive finishes the session with the verdict; PostReceive when the
  // deploys of all applications have ended, or at once if nothing is to be waited for.
  void PreReceive(PushRequest request, std::shared_ptr<HookSession> session);
  void PostReceive(PushRequest request, std::shared_ptr<HookSession> session);

  // The applications of a source as plans of them start from: what the state records, and what
  // this remembers. `name` is the source's or that of one of its applications. kNotFound.
  base::Result<std::vector<Application>> Recall(const std::string& name) const;

  // Plans of waves that were committed: as they were made first, or after being made again since
  // something had overtaken them.
  struct PlanCounts {
    uint64_t first = 0, again = 0;
  };
  PlanCounts plans() const { return plans_; }

  // No application has anything to read, apply or wait for.
  bool Idle() const;

 private:
  struct Source;
  struct App;
  struct Start;
  using SourcePtr = std::shared_ptr<Source>;
  using AppPtr = std::shared_ptr<App>;

  // Sources, applications and their workers.
  SourcePtr FindSource(const std::string& name) const;
  AppPtr Find(const std::string& name) const;
  SourcePtr AddSource(const std::string& name);
  AppPtr AddApp(const std::string& name);
  void DropOrphans();
  void Join(const AppPtr& app, const std::string& source);
  void Unjoin(const App& app);
  void Leave(const AppPtr& app, const std::string& why);
  void Follow(const state::Change& change);
  void FollowKustomization(const state::Change& change);
  void Redo(const AppPtr& app, const std::string& why, bool asked = true);
  void RedoWithheld(const Source& source, const std::string& changed);
  void RunOnWorker(const SourcePtr& source, std::function<base::Loop::Task()> work);
  void Pump(const SourcePtr& source);
  state::DraftContext Context(const App& app);
  Application Known(const App& app) const;
  std::vector<Application> KnownOf(const Source& source) const;

  base::Status GitTakes(const PushRequest& request) const;
  void Check(const SourcePtr& source, const PushRequest& request, const RefUpdate& update,
             const PushOptions& options, std::shared_ptr<HookSession> session);
  void Judged(const SourcePtr& source, const PushOptions& options,
              const std::shared_ptr<PushVerdict>& verdict, HookSession& session);
  void ExpectPostReceive(const SourcePtr& source, const std::shared_ptr<PushVerdict>& verdict);
  static std::optional<Reading> TakeVerdict(PushVerdict& verdict, const std::string& application);
  std::set<std::string> ToDeploy(const Source& source) const;

  void Begin(const AppPtr& app, Start start);
  void BeginLater(base::Loop::Task begin);
  bool BeginNext();
  void Advance(const AppPtr& app);
  // What NextStep says. True if there is something to be done at once.
  bool Do(const AppPtr& app, const DeployStep& step);
  void Read(const AppPtr& app);
  struct HeadRequest;
  Reading ReadHead(Source& source, const HeadRequest& request) const;
  void PlanAgain(const AppPtr& app);
  void Commit(const AppPtr& app);
  void CommitPlan(const AppPtr& app, SyncPlan& plan);
  void TellSuperseded(const std::string& application, SyncPlan& plan);
  void Applied(const AppPtr& app);
  void PlanLeft(const AppPtr& app);
  void Await(const AppPtr& app, const std::string& why);
  void WakeAwaiting(const state::Change& change);
  void Wait(const AppPtr& app, const DeployStep& step);
  void Look(const AppPtr& app);
  void LookAgain(const AppPtr& app, const state::Key& key);
  bool LookNext();  // whether there is more to look at
  void LookAtOne(const AppPtr& app);
  void FetchLog(const AppPtr& app, const DeployStep& step);
  void Retry(const AppPtr& app, const std::string& message);
  void GiveUp(const AppPtr& app, const std::string& message);
  void Rest(const AppPtr& app, const DeployStep& step);
  void Settle(const AppPtr& app, const DeployStep& step);
  void Stop(const AppPtr& app, DeployPhase phase, const std::string& line);
  void Tell(const AppPtr& app, const std::string& line);
  void EndReply(const AppPtr& app, DeployPhase phase, const std::string& line);
  // False, which the log says, if it could not be.
  bool Record(const AppPtr& app, const std::function<base::Status(state::Draft&)>& write);
  void RecordNotReady(const AppPtr& app, std::string_view value, std::string_view reason,
                      const std::string& message);

  void Changed(const state::Change& change);
  void NoteChanged(const AppPtr& app, const state::Change& change);
  void NoteHealth(const state::Change& change);
  void TryLeftAgain(const state::Change& change);
  state::Key RootOf(const state::Object& object) const;
  void ScheduleRepair(const AppPtr& app, base::Duration delay);
  void Repair(const AppPtr& app);

  // A task that runs only while this lives and `app` is at the same deploy.
  base::Loop::Task Guarded(const AppPtr& app, base::Loop::Task task) const;

  base::Loop& loop_;
  state::Store& store_;
  GitStore& git_;
  const EngineOptions options_;
  state::Writer writer_;
  std::map<std::string, SourcePtr> sources_;
  std::map<std::string, AppPtr> apps_;
  std::map<std::string, std::set<std::string>> by_source_;  // applications; it may not be there
  std::set<std::string> awaiting_;  // applications that wait for others, and some that did
  std::set<std::string> leaving_;   // applications whose last plan had to leave something
  std::map<state::Key, std::set<std::string>> watched_;  // applications that wait for its health
  std::deque<AppPtr> looking_;                           // at what was applied
  SharedTables tables_;
  PlanCounts plans_;
  base::Piecework looks_;  // an object's health a piece
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
  // Of a push each application's is a piece: it may commit as much as the push brings for it.
  std::deque<base::Loop::Task> to_begin_;
  base::Piecework beginning_;
};

}  // namespace gitsync
