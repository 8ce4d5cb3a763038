// The plan of a diff is the plan of a push: the same function over the same View, with the same
// memory of what was applied, and the parts that all applications of the source take of the commit:
// what moves between two of them is told as that. Nothing of a diff stays: files are parsed into a
// cache of its own, so that what a client sends can never be taken for what was pushed.
#include "plumb/server/edge/diff_route.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "gitsync/plan/push_verdict.h"
#include "gitsync/plan/repository.h"
#include "gitsync/source/git_rules.h"
#include "plumb/endpoints.h"
#include "plumb/reports/diff_report.h"
#include "plumb/server/edge/ask_loop.h"
#include "plumb/server/source_archive.h"
#include "state/authorize.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

struct Basis {
  state::View view;
  base::Identity asker;
  std::string source;
  std::vector<gitsync::Application> all;     // of the source
  std::vector<gitsync::Application> chosen;  // to be shown
  std::map<std::string, state::DraftContext> contexts;
};

// A commit as it was sent or is stored.
struct Tree {
  std::string commit, id;
  std::vector<gitsync::TreeEntry> entries;
  gitsync::ReadBlobFunction read;
};

class DiffService {
 public:
  DiffService(const DiffSource& source, std::unique_ptr<gitsync::GitStore> git,
              Authenticator authenticate)
      : source_(source), git_(std::move(git)), authenticate_(std::move(authenticate)) {}

  void Serve(base::Exchange& exchange) {
    // First: who may see none holds up nobody who may.
    const Result<base::Identity> identity = Admit(exchange.incoming());
    if (!identity.ok()) return exchange.Send(base::FailureResponse(identity.status()));
    if (running_.fetch_add(1) >= kMaxDiffs) {
      exchange.Send(base::FailureResponse(
          Status(Code::kTooManyRequests, "other previews are being made; try again in a moment")));
    } else if (const Result<Json> report = Report(exchange, *identity); report.ok()) {
      base::HttpResponse response;
      response.body = report->ToString() + "\n";
      exchange.Send(response);
    } else {
      exchange.Send(base::FailureResponse(report.status()));
    }
    running_.fetch_sub(1);
  }

 private:
  // Who asks; a failure if he may not.
  Result<base::Identity> Admit(const base::IncomingRequest& incoming) const {
    ASSIGN_OR_RETURN(base::Identity identity, authenticate_(incoming));
    if (incoming.request.method != "POST")
      return Status(Code::kMethodNotAllowed, "a diff is a POST");
    const std::string name(incoming.request.Query("repository"));
    ASSIGN_OR_RETURN([[maybe_unused]] const bool may,
                     AskLoop<bool>(source_.loop, [this, name, identity](auto answer) {
                       const Status allowed = MayAsk(identity, name);
                       allowed.ok() ? answer(true) : answer(allowed);
                     }));
    return identity;
  }

  Result<Json> Report(base::Exchange& exchange, const base::Identity& identity) {
    const base::HttpRequest& request = exchange.incoming().request;
    const std::string name(request.Query("repository"));
    std::string body;
    RETURN_IF_ERROR(exchange.ReadBody(kMaxArchiveBytes, [&](std::string_view bytes) {
      body += bytes;
      return true;
    }));
    ASSIGN_OR_RETURN(Basis basis, AskLoop<Basis>(source_.loop, [this, name](auto answer) {
                       answer(Recall(name));
                     }));
    basis.asker = identity;
    if (body.empty()) return Stored(basis, name, std::string(request.Query("revision")));
    return Sent(basis, name, body);
  }

  // Whoever may push can learn by pushing what equals a Secret's value; nobody else may here.
  Status MayAsk(const base::Identity& identity, const std::string& name) const {
    const state::View& view = source_.store.view();
    const state::ObjectPtr application = view.Get(gitsync::KustomizationKey(name));
    const bool repository = view.Get(gitsync::GitRepositoryKey(name)) != nullptr;
    const std::string source =
        repository || application == nullptr ? name : gitsync::SourceOf(*application);
    if (state::Authorize(identity, state::kPush, state::RepositoryObject(source), view).ok())
      return Status();
    return Status(Code::kForbidden,
                  "only those who may push may see what a push would change; use a token of "
                  "the role deployer or admin");
  }

  // A repository's name stands for all of its applications.
  Result<Basis> Recall(const std::string& name) const {
    Basis basis{source_.store.view(), {}, name, {}, {}, {}};
    ASSIGN_OR_RETURN(basis.all, source_.engine.Recall(name));
    const bool repository = basis.view.Get(gitsync::GitRepositoryKey(name)) != nullptr;
    for (const gitsync::Application& each : basis.all) {
      basis.contexts[each.name] = source_.context();
      if (repository || each.name == name) basis.chosen.push_back(each);
    }
    if (!repository) {
      const state::ObjectPtr object = basis.view.Get(gitsync::KustomizationKey(name));
      if (object == nullptr) return gitsync::NoRepository(name);  // it is just being made
      basis.source = gitsync::SourceOf(*object);
    }
    return basis;
  }

  // As a push would be judged, for all, unless nothing is applied for what is to be shown: then it
  // says why itself.
  static const std::vector<gitsync::Application>& Judges(const Basis& basis) {
    const bool acts = std::any_of(
        basis.chosen.begin(), basis.chosen.end(), [&](const gitsync::Application& each) {
          const auto state = gitsync::ReadApplication(basis.view, each.name);
          return state.ok() && !state->settings.suspended;
        });
    return acts ? basis.all : basis.chosen;
  }

  static bool IsChosen(const Basis& basis, const std::string& application) {
    return std::any_of(basis.chosen.begin(), basis.chosen.end(),
                       [&](const gitsync::Application& each) { return each.name == application; });
  }

  static Result<Json> Report(const Basis& basis, const std::string& name, const Tree& tree) {
    auto sets = std::make_shared<gitsync::SourceSets>();
    std::set<std::string> applications;
    for (const gitsync::Application& each : basis.all) applications.insert(each.name);
    const gitsync::Parts parts = gitsync::PartsOf(basis.view, applications);
    sets->commit = tree.commit;
    sets->unclear = parts.unclear;
    gitsync::ParseCache cache;
    gitsync::ManifestBudget budget;
    for (const gitsync::Part& part : parts.parts) {
      ASSIGN_OR_RETURN(const gitsync::Discovery discovery,
                       gitsync::Discover(tree.entries, tree.read, part.path));
      ASSIGN_OR_RETURN(gitsync::ManifestSet set,
                       gitsync::ReadManifests(discovery, part.scope, basis.view.schema(), cache,
                                              tree.read, budget));
      set.commit = tree.commit;
      set.tree = tree.id;
      set.path = part.path;
      sets->sets[part.application] = std::make_shared<const gitsync::ManifestSet>(std::move(set));
    }
    sets->Index(nullptr);
    ASSIGN_OR_RETURN(
        const gitsync::PushVerdict verdict,
        gitsync::JudgePush(basis.view, Judges(basis), sets, basis.asker, gitsync::PushOptions(),
                           [&](const std::string& each) { return basis.contexts.at(each); }));
    std::vector<ApplicationPlan> plans;
    for (const gitsync::PushVerdict::One& one : verdict.applications) {
      const std::string& application = one.application.name;
      if (!IsChosen(basis, application)) continue;
      plans.push_back({application, &one.plan, sets->sets.at(application).get()});
    }
    ASSIGN_OR_RETURN(Json report, DiffReport(basis.view, plans));
    if (verdict.errors() == 0) {  // what an application alone fails of refuses nothing
      for (const Json& error : std::as_const(report)["errors"].Elements()) {
        report["warnings"].Append(error);
      }
      report.Set("errors", Json::MakeArray());
    }
    for (const gitsync::SourceError& denied : verdict.denied)
      report["errors"].Append(denied.ToString());
    for (const auto& [application, sentence] : verdict.left_out) {
      if (IsChosen(basis, application)) report["warnings"].Append(sentence);
    }
    report.Set("repository", name);
    return report;
  }

  static Result<Json> Sent(const Basis& basis, const std::string& name, const std::string& body) {
    ASSIGN_OR_RETURN(const SourceArchive archive, DecodeArchive(body));
    return Report(basis, name,
                  Tree{archive.commit, archive.tree, archive.entries,
                       [&](const std::string& oid) { return archive.Blob(oid); }});
  }

  Result<Json> Stored(const Basis& basis, const std::string& name, const std::string& revision) {
    const std::lock_guard<std::mutex> lock(git_mutex_);
    const std::string& source = basis.source;
    ASSIGN_OR_RETURN(const std::string commit, Resolve(basis, revision));
    ASSIGN_OR_RETURN(const gitsync::CommitInfo info, git_->ReadCommit(source, commit));
    ASSIGN_OR_RETURN(std::vector<gitsync::TreeEntry> entries, git_->ReadTree(source, commit));
    return Report(basis, name,
                  Tree{commit, info.tree, std::move(entries),
                       [&](const std::string& oid) { return git_->ReadBlob(source, oid); }});
  }

  Result<std::string> Resolve(const Basis& basis, const std::string& revision) {
    const std::string& source = basis.source;
    const std::string branch = gitsync::BranchOf(basis.view, source);
    const Result<std::string> head = git_->Resolve(source, "refs/heads/" + branch);
    if (revision.empty() && !head.ok() && head.status().code() == Code::kNotFound) {
      return Status(Code::kNotFound, "nothing was pushed to repository " + source + " yet");
    }
    if (revision.empty()) return head;
    if (gitsync::IsObjectId(revision)) return revision;
    const Result<std::string> named = git_->Resolve(source, "refs/heads/" + revision);
    if (named.ok()) return named;
    if (head.ok() && revision.size() >= 4) {
      ASSIGN_OR_RETURN(const std::vector<gitsync::CommitInfo> history,
                       git_->History(source, *head, kMaxSearchedCommits));
      for (const gitsync::CommitInfo& commit : history) {
        if (commit.oid.starts_with(revision)) return commit.oid;
      }
    }
    return Status(Code::kNotFound, "repository " + source + " has no branch \"" + revision +
                                       "\" and no such commit on " + branch);
  }

  const DiffSource source_;
  const std::unique_ptr<gitsync::GitStore> git_;
  const Authenticator authenticate_;
  std::mutex git_mutex_;
  std::atomic<int> running_{0};
};

}  // namespace

void AddDiffRoute(base::Routes& routes, const DiffSource& source,
                  std::unique_ptr<gitsync::GitStore> git, Authenticator authenticate) {
  auto service = std::make_shared<DiffService>(source, std::move(git), std::move(authenticate));
  routes.AddWorkerHandler(kDiffPath,
                          [service](base::Exchange& exchange) { service->Serve(exchange); });
}

}  // namespace plumb
