// A push is judged while it is in quarantine, against the state that it would produce; its ref
// moves only then, and the deploys begin when the second hook says that it has moved. References
// are judged here; once a push is accepted, they only warn.
//
// All applications of the source judge it, and each may refuse it. Those that nothing is applied
// for (suspended, or their settings cannot be acted on) are left out, unless all of them are.
#include <algorithm>
#include <utility>

#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"
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

struct SyncEngine::Judgement {
  struct Verdict {
    std::string application;
    SyncPlan plan;
    Inventory inventory;
  };
  std::string commit;
  std::vector<Verdict> verdicts;
  std::vector<std::string> left_out;  // sentences
};

namespace {

// The applications that judge a push, as `view` has them; of the others, why they do not.
base::Result<std::vector<Application>> Judges(const state::View& view,
                                              const std::vector<Application>& known,
                                              std::vector<std::string>& left_out) {
  std::vector<Application> judges, suspended;
  base::Status invalid;
  for (const Application& each : known) {
    base::Result<Application> state = ReadState(view, each);
    if (!state.ok()) {
      if (invalid.ok()) invalid = state.status();
      left_out.push_back("application " + each.name +
                         " is left as it is: " + std::string(state.status().message()));
    } else {
      (state->settings.suspended ? suspended : judges).push_back(*std::move(state));
    }
  }
  if (judges.empty() && suspended.empty() && !invalid.ok()) return invalid;
  if (judges.empty()) return suspended;
  for (const Application& each : suspended) {
    left_out.push_back("application " + each.name + " is left as it is: it is suspended");
  }
  return judges;
}

// What one of them has applied, the source may go back to.
void ShareTrees(std::vector<Application>& applications) {
  std::vector<std::string> trees;
  for (const Application& each : applications) {
    trees.insert(trees.end(), each.applied_trees.begin(), each.applied_trees.end());
  }
  for (Application& each : applications) each.applied_trees = trees;
}

}  // namespace

void SyncEngine::PreReceive(PushRequest request, std::shared_ptr<HookSession> session) {
  const SourcePtr source = FindSource(request.repository);
  const std::string branch = BranchOf(store_.view(), request.repository);
  if (source == nullptr || branch.empty()) {
    return Refuse(*session, std::string(NoRepository(request.repository).message()));
  }
  const base::Result<PushOptions> options = ParsePushOptions(request.options);
  if (!options.ok()) return Refuse(*session, std::string(options.status().message()));
  const RefUpdate* deploy = nullptr;
  for (const RefUpdate& update : request.updates) {
    // A branch "plumb" would leave no room for plumb/status.
    if (update.ref.starts_with(kStatusBranch) || update.ref.starts_with(kNotes) ||
        update.ref + "/" == kStatusBranch) {
      return Refuse(*session, update.ref + " is written by plumb alone; push to another ref");
    }
    if (update.ref != DeployRef(branch)) continue;
    if (update.new_oid == kZeroOid) {
      return Refuse(*session, "the deploy branch " + branch +
                                  " cannot be deleted; to take everything down, push a commit "
                                  "without manifests with -o allow-empty");
    }
    deploy = &update;
  }
  if (deploy != nullptr) return Check(source, request, *deploy, *options, std::move(session));
  if (options->dry_run) return Refuse(*session, "dry run: nothing here would be deployed");
  session->Finish(0);
}

void SyncEngine::Check(const SourcePtr& source, const PushRequest& request, const RefUpdate& update,
                       const PushOptions& options, std::shared_ptr<HookSession> session) {
  RunOnWorker(
      source,
      [this, source, commit = update.new_oid, quarantine = request.quarantine, options, session,
       view = store_.view(), context = writer_.NewContext(),
       known = KnownOf(*source)]() -> base::Loop::Task {
        auto judgement = std::make_shared<Judgement>();
        judgement->commit = commit;
        auto judges = Judges(view, known, judgement->left_out);
        if (!judges.ok()) {
          return [session, why = judges.status()] { Refuse(*session, std::string(why.message())); };
        }
        if (judges->size() > 1) ShareTrees(*judges);
        const auto sets =
            source->reader->Read(commit, quarantine, PartsOf(view, known), view.schema());
        if (!sets.ok()) {
          return [session, why = sets.status()] {
            Refuse(*session, "the commit could not be read: " + std::string(why.message()));
          };
        }
        for (const Application& each : *judges) {
          const ManifestSet& set = *(*sets)->sets.at(each.name);
          judgement->verdicts.push_back(
              {each.name, PlanSync(view, each, set, options, context, **sets), each.inventory});
        }
        return [this, source, options, session, judgement] {
          Judged(source, options, *judgement, *session);
        };
      });
}

void SyncEngine::Judged(const SourcePtr& source, const PushOptions& options,
                        const Judgement& judgement, HookSession& session) {
  const bool several = source->applications.size() > 1;
  const auto prefix = [&](const Judgement::Verdict& verdict) {
    return several ? verdict.application + ": " : "";
  };
  size_t errors = 0;
  for (const Judgement::Verdict& verdict : judgement.verdicts) {
    if (const AppPtr app = Find(verdict.application)) app->inventory = verdict.inventory;
    errors += verdict.plan.errors.size();
    PrintErrors(verdict.plan.warnings, "warning: " + prefix(verdict), session);
  }
  if (errors > 0) {
    for (const Judgement::Verdict& verdict : judgement.verdicts) {
      PrintErrors(verdict.plan.errors, prefix(verdict), session);
    }
    return Refuse(session, "refused: " + std::to_string(errors) +
                               (errors == 1 ? " error" : " errors") + ", nothing was changed");
  }
  for (const Judgement::Verdict& verdict : judgement.verdicts) {
    for (const std::string& line : PlanLines(verdict.plan)) session.Print(prefix(verdict) + line);
  }
  for (const std::string& sentence : judgement.left_out) session.Print(sentence);
  if (source->applications.empty()) {
    session.Print("no Kustomization refers to repository " + source->name +
                  ": nothing is deployed");
  }
  if (options.dry_run) return Refuse(session, "dry run: nothing was pushed");
  ExpectPostReceive(source, judgement.commit);
  session.Finish(0);
}

// A push may end between its ref and its hook; the branch is then looked at without being told.
void SyncEngine::ExpectPostReceive(const SourcePtr& source, const std::string& commit) {
  source->expected = commit;
  loop_.After(options_.hook_limit, lifeline_.Wrap([this, source, commit] {
    if (source->expected != commit || FindSource(source->name) != source) return;
    source->expected.clear();
    for (const std::string& name : ToDeploy(*source)) Begin(Find(name), PushOptions(), nullptr);
  }));
}

// Those that a push is applied for.
std::set<std::string> SyncEngine::ToDeploy(const Source& source) const {
  std::set<std::string> running, suspended;
  for (const std::string& name : source.applications) {
    const auto state = ReadApplication(store_.view(), name);
    if (state.ok()) (state->settings.suspended ? suspended : running).insert(name);
  }
  return running.empty() ? suspended : running;
}

void SyncEngine::PostReceive(PushRequest request, std::shared_ptr<HookSession> session) {
  const SourcePtr source = FindSource(request.repository);
  const std::string branch = BranchOf(store_.view(), request.repository);
  const auto options = ParsePushOptions(request.options);
  const auto deploy = std::find_if(
      request.updates.begin(), request.updates.end(),
      [&](const RefUpdate& update) { return !branch.empty() && update.ref == DeployRef(branch); });
  if (source == nullptr || deploy == request.updates.end()) return session->Finish(0);
  for (const RefUpdate& update : request.updates) {
    if (update.new_oid == source->expected) source->expected.clear();
  }
  const PushOptions chosen = options.ok() ? *options : PushOptions();
  const std::set<std::string> applications = ToDeploy(*source);
  const bool waits = !chosen.no_wait && !applications.empty();
  const auto reply = waits ? std::make_shared<PushReply>(session, applications) : nullptr;
  for (const std::string& name : applications) Begin(Find(name), chosen, reply, deploy->new_oid);
  // Only now: whoever asks for the deploys once the push has returned finds them.
  if (waits) return;
  if (chosen.no_wait) session->Print("accepted; plumb wait tells how it ends");
  session->Finish(0);
}

}  // namespace gitsync
