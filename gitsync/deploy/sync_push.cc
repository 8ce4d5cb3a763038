// A push is judged while it is in quarantine, against the state that it would produce; its ref
// moves only then, and the deploys begin when the second hook says that it has moved. References
// are judged here; once a push is accepted, they only warn.
//
// The verdict's plans are kept until the second hook: what they depend on may be as it was. One
// that rests on what another application of the push is yet to bring has only judged.
#include <algorithm>
#include <map>
#include <utility>

#include "gitsync/deploy/sync_parts.h"
#include "gitsync/plan/repository.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

namespace {

constexpr std::string_view kUnread = "the push could not be read";

// The first ref that the pusher's token is not for, as a sentence; empty if there is none.
std::string OutOfBranches(const PushRequest& request) {
  if (request.branches.empty()) return "";
  for (const RefUpdate& update : request.updates) {
    const bool bound_to =
        std::any_of(request.branches.begin(), request.branches.end(),
                    [&](const std::string& branch) { return update.ref == DeployRef(branch); });
    if (bound_to) continue;
    std::string names;
    for (const std::string& branch : request.branches)
      names += (names.empty() ? "" : ", ") + branch;
    return update.ref + " is not for this token, which is bound to the branches " + names +
           "; push to one of them, or use another token";
  }
  return "";
}

void Refuse(HookSession& session, const std::string& sentence) {
  session.Print(sentence);
  session.Finish(1);
}

}  // namespace

void SyncEngine::PreReceive(PushRequest request, std::shared_ptr<HookSession> session) {
  if (const std::string held = store_.held(); !held.empty())
    return Refuse(*session, "no changes are taken for now: " + held + "; push again later");
  const SourcePtr source = FindSource(request.repository);
  const std::string branch = BranchOf(store_.view(), request.repository);
  if (source == nullptr || branch.empty()) {
    return Refuse(*session, std::string(NoRepository(request.repository).message()));
  }
  const base::Result<PushOptions> options = ParsePushOptions(request.options);
  if (!options.ok()) return Refuse(*session, std::string(options.status().message()));
  const RefUpdate* deploy = nullptr;
  for (const RefUpdate& update : request.updates) {
    if (const std::string why = RefusedBecause(update); !why.empty()) return Refuse(*session, why);
    if (update.ref != DeployRef(branch)) continue;
    if (update.new_oid == kZeroOid) {
      return Refuse(*session, "the deploy branch " + branch +
                                  " cannot be deleted; to take everything down, push a commit "
                                  "without manifests with -o allow-empty");
    }
    deploy = &update;
  }
  if (const std::string refused = OutOfBranches(request); !refused.empty())
    return Refuse(*session, refused);
  std::optional<RefUpdate> to_deploy;
  if (deploy != nullptr) to_deploy = *deploy;
  const auto go_on = [this, source, request, to_deploy, options = *options, session] {
    if (to_deploy) return Check(source, request, *to_deploy, options, session);
    if (options.dry_run) return Refuse(*session, "dry run: nothing here would be deployed");
    session->Finish(0);
  };
  RunOnWorker(source, [this, request, session, go_on]() -> base::Loop::Task {
    const base::Status taken = GitTakes(request);
    if (taken.ok()) return go_on;
    return [session, why = std::string(taken.message())] { Refuse(*session, why); };
  });
}

// What Git would refuse only after plumb has said yes, as far as that can be known, and what is too
// much. On a worker.
base::Status SyncEngine::GitTakes(const PushRequest& request) const {
  size_t more = 0;
  std::vector<std::string> heads;
  for (const RefUpdate& update : request.updates) {
    more += update.old_oid == kZeroOid;
    if (!update.ref.starts_with("refs/heads/")) continue;
    if (update.new_oid != kZeroOid) heads.push_back(update.new_oid);
    const auto at = git_.Resolve(request.repository, update.ref);
    const bool known = at.ok() || at.status().code() == base::Code::kNotFound;
    const std::string there = at.ok() ? *at : std::string(kZeroOid);
    if (known && !update.old_oid.empty() && there != update.old_oid) {
      return base::Status(base::Code::kConflict,
                          update.ref +
                              " has been moved by another push, which came first; run git "
                              "fetch, and push again on top of it");
    }
  }
  if (more > 0) {
    const auto counted = git_.CountRefs(request.repository);
    if (!counted.ok()) return counted.status().WithContext(kUnread);
    const size_t refs = *counted;
    if (refs + more > kMaxRefs) {
      return base::Status(base::Code::kTooLarge,
                          "repository " + request.repository + " would have " +
                              std::to_string(refs + more) + " branches and tags, and may have " +
                              std::to_string(kMaxRefs) + "; delete some first");
    }
  }
  const auto gap = git_.MissingAncestor(request.repository, heads, request.quarantine);
  if (!gap.ok()) return gap.status().WithContext(kUnread);
  if (gap->empty()) return base::Status();
  return base::Status(base::Code::kInvalid,
                      "this is a shallow clone: commit " + ShortCommit(*gap) +
                          ", which others here come after, is missing, so Git would refuse them; "
                          "run git fetch --unshallow (in CI: fetch-depth: 0), and push again");
}

void SyncEngine::Check(const SourcePtr& source, const PushRequest& request, const RefUpdate& update,
                       const PushOptions& options, std::shared_ptr<HookSession> session) {
  std::map<std::string, state::DraftContext> contexts;
  for (const std::string& name : source->applications) contexts[name] = Context(*Find(name));
  RunOnWorker(
      source,
      [this, source, commit = update.new_oid, quarantine = request.quarantine, options, session,
       pusher = base::Identity{request.user, request.groups}, view = store_.view(),
       contexts = std::move(contexts), applications = source->applications,
       known = KnownOf(*source),
       min_prepared = store_.min_prepared_writes()]() -> base::Loop::Task {
        const auto sets =
            source->reader->Read(commit, quarantine, PartsOf(view, applications), view.schema());
        if (!sets.ok()) {
          return [session, why = sets.status()] {
            Refuse(*session, "the commit could not be read: " + std::string(why.message()));
          };
        }
        auto judged = JudgePush(view, known, *sets, pusher, options,
                                [&](const std::string& name) { return contexts.at(name); });
        if (!judged.ok()) {
          return [session, why = judged.status()] { Refuse(*session, std::string(why.message())); };
        }
        if (!options.dry_run && judged->errors() == 0) {
          for (PushVerdict::One& one : judged->applications)
            if (!one.foreseen) Prepare(view, min_prepared, one.plan);
        }
        return [this, source, options, session,
                verdict = std::make_shared<PushVerdict>(*std::move(judged))] {
          Judged(source, options, verdict, *session);
        };
      });
}

void SyncEngine::Judged(const SourcePtr& source, const PushOptions& options,
                        const std::shared_ptr<PushVerdict>& verdict, HookSession& session) {
  const bool several = source->applications.size() > 1;
  const auto prefix = [&](const PushVerdict::One& one) {
    return several ? one.application.name + ": " : "";
  };
  for (const PushVerdict::One& one : verdict->applications) {
    if (const AppPtr app = Find(one.application.name)) app->inventory = one.application.inventory;
    PrintErrors(one.plan.warnings, "warning: " + prefix(one), session);
  }
  const size_t errors = verdict->errors();
  PrintErrors(verdict->denied, "", session);
  for (const PushVerdict::One& one : verdict->applications) {
    PrintErrors(one.plan.errors, prefix(one), session);
    if (errors > 0 || one.missing) continue;
    for (const std::string& line : PlanLines(one.plan)) session.Print(prefix(one) + line);
  }
  if (errors > 0) {
    return Refuse(session, "refused: " + std::to_string(errors) +
                               (errors == 1 ? " error" : " errors") + ", nothing was changed");
  }
  for (const auto& [name, sentence] : verdict->left_out) session.Print(sentence);
  if (source->applications.empty()) {
    session.Print("no Kustomization refers to repository " + source->name +
                  ": nothing is deployed");
  }
  if (options.dry_run) return Refuse(session, "dry run: nothing was pushed");
  ExpectPostReceive(source, verdict);
  session.Finish(0);
}

// A push may end between its ref and its hook; the branch is then looked at without being told.
void SyncEngine::ExpectPostReceive(const SourcePtr& source,
                                   const std::shared_ptr<PushVerdict>& verdict) {
  source->expected = verdict;
  loop_.After(options_.hook_limit, lifeline_.Wrap([this, source, verdict] {
    if (source->expected != verdict || FindSource(source->name) != source) return;
    source->expected = nullptr;
    for (const std::string& name : ToDeploy(*source)) {
      BeginLater([this, name] {
        if (const AppPtr app = Find(name)) Begin(app, {.asked = true});
      });
    }
  }));
}

// What was found for the application, if it was judged.
std::optional<Reading> SyncEngine::TakeVerdict(PushVerdict& verdict,
                                               const std::string& application) {
  for (PushVerdict::One& one : verdict.applications) {
    if (one.application.name != application) continue;
    Reading reading;
    reading.at = verdict.at;
    reading.sets = verdict.sets;
    reading.application = std::move(one.application);
    if (!one.foreseen) reading.plan = std::move(one.plan);
    return reading;
  }
  return std::nullopt;
}

// Those that a push is applied for.
std::set<std::string> SyncEngine::ToDeploy(const Source& source) const {
  std::set<std::string> running, suspended;
  for (const std::string& name : source.applications) {
    const auto settings = ReadSettings(store_.view(), name);
    if (settings.ok()) (settings->suspended ? suspended : running).insert(name);
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
  if (source == nullptr || branch.empty()) return session->Finish(0);
  if (deploy == request.updates.end()) {
    session->Print("nothing is deployed: branch " + branch + " of repository " + source->name +
                   " is, and this push did not move it; git push REMOTE HEAD:" + branch +
                   " deploys");
    return session->Finish(0);
  }
  std::shared_ptr<PushVerdict> verdict;
  if (source->expected != nullptr && source->expected->sets->commit == deploy->new_oid) {
    verdict = std::exchange(source->expected, nullptr);
    RunOnWorker(source, [reader = source->reader, commit = deploy->new_oid]() -> base::Loop::Task {
      reader->Accepted(commit);
      return [] {};
    });
  }
  const PushOptions chosen = options.ok() ? *options : PushOptions();
  const std::set<std::string> applications = ToDeploy(*source);
  const bool waits = !chosen.no_wait && !applications.empty();
  const auto reply = waits ? std::make_shared<PushReply>(session, applications) : nullptr;
  for (const std::string& name : applications) {
    const auto start = std::make_shared<Start>(
        Start{.asked = true, .options = chosen, .reply = reply, .commit = deploy->new_oid});
    if (verdict != nullptr) start->reading = TakeVerdict(*verdict, name);
    BeginLater([this, name, start, reply] {
      // What one of them deploys may be the end of another.
      if (const AppPtr app = Find(name)) {
        Begin(app, std::move(*start));
      } else if (reply != nullptr) {
        reply->End(name, DeployPhase::kFailed, "its Kustomization was deleted");
      }
    });
  }
  if (!waits) {
    // Only then: whoever asks for the deploys once the push has returned finds them.
    BeginLater([session, no_wait = chosen.no_wait] {
      if (no_wait) session->Print("accepted; plumb wait tells how it ends");
      session->Finish(0);
    });
  }
  BeginNext();
}

// In a turn of its own, or in this one by BeginNext.
void SyncEngine::BeginLater(base::Loop::Task begin) {
  to_begin_.push_back(std::move(begin));
  beginning_.Wake();
}

// True if some are left.
bool SyncEngine::BeginNext() {
  if (to_begin_.empty()) return false;
  const base::Loop::Task begin = std::move(to_begin_.front());
  to_begin_.pop_front();
  begin();
  return !to_begin_.empty();
}

}  // namespace gitsync
