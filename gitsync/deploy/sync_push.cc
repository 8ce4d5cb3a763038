// A push is judged while it is in quarantine, against the state that it would produce; its ref
// moves only then, and the deploy begins when the second hook says that it has moved. References
// are judged here; once a push is accepted, they only warn.
#include <algorithm>
#include <utility>

#include "gitsync/deploy/sync_repo.h"
#include "gitsync/render/read_set.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

namespace {

constexpr std::string_view kStatusBranch = "refs/heads/plumb/";
constexpr std::string_view kNotes = "refs/notes/";

void Refuse(HookSession& session, const std::string& sentence) {
  session.Print(sentence);
  session.Finish(1);
}

}  // namespace

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
       view = store_.view(), context = Context(*repo), known = Known(repo),
       near = repo->latest]() -> base::Loop::Task {
        auto state = ReadState(view, known);
        if (!state.ok()) {
          return [session, status = state.status()] {
            Refuse(*session, std::string(status.message()));
          };
        }
        const SetSource source{git_,          repo->name,  quarantine, state->settings.scope,
                               view.schema(), *repo->cache};
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
  loop_.After(options_.hook_limit, lifeline_.Wrap([this, repo, commit] {
    if (repo->expected != commit || Find(repo->name) != repo) return;
    repo->expected.clear();
    Begin(repo, PushOptions(), nullptr);
  }));
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

}  // namespace gitsync
