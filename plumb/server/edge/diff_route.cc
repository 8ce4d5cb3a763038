// The plan of a diff is the plan of a push: the same function over the same View, with the same
// memory of what was applied. Nothing of a diff stays: files are parsed into a cache of its own,
// so that what a client sends can never be taken for what was pushed.
#include "plumb/server/edge/diff_route.h"

#include <atomic>
#include <mutex>

#include "gitsync/plan/plan.h"
#include "gitsync/source/git_rules.h"
#include "plumb/endpoints.h"
#include "plumb/reports/diff_report.h"
#include "plumb/server/edge/ask_loop.h"
#include "plumb/server/source_archive.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

struct Basis {
  state::View view;
  gitsync::Application application;
  state::DraftContext context;
};

class DiffService {
 public:
  DiffService(const DiffSource& source, std::unique_ptr<gitsync::GitStore> git,
              Authenticator authenticate)
      : source_(source), git_(std::move(git)), authenticate_(std::move(authenticate)) {}

  void Serve(base::Exchange& exchange) {
    if (running_.fetch_add(1) >= kMaxDiffs) {
      exchange.Send(base::FailureResponse(
          Status(Code::kTooManyRequests, "other previews are being made; try again in a moment")));
    } else if (const Result<Json> report = Report(exchange); report.ok()) {
      base::HttpResponse response;
      response.body = report->ToString() + "\n";
      exchange.Send(response);
    } else {
      exchange.Send(base::FailureResponse(report.status()));
    }
    running_.fetch_sub(1);
  }

 private:
  Result<Json> Report(base::Exchange& exchange) {
    const base::HttpRequest& request = exchange.incoming().request;
    ASSIGN_OR_RETURN(const base::Identity identity, authenticate_(exchange.incoming()));
    // Whoever may push can learn by pushing what equals a Secret's value; nobody else may here.
    if (!MayPush(identity)) {
      return Status(Code::kForbidden,
                    "only those who may push may see what a push would change; use a token of "
                    "the role deployer or admin");
    }
    if (request.method != "POST") return Status(Code::kMethodNotAllowed, "a diff is a POST");
    std::string body;
    RETURN_IF_ERROR(exchange.ReadBody(kMaxArchiveBytes, [&](std::string_view bytes) {
      body += bytes;
      return true;
    }));
    const std::string name(request.Query("repository"));
    ASSIGN_OR_RETURN(const Basis basis, AskLoop<Basis>(source_.loop, [this, name](auto answer) {
                       Result<gitsync::Application> state = source_.engine.Recall(name);
                       if (!state.ok()) return answer(state.status());
                       answer(Basis{source_.store.view(), *std::move(state), source_.context()});
                     }));
    Result<gitsync::ManifestSet> set =
        body.empty() ? Stored(basis, std::string(request.Query("revision"))) : Sent(basis, body);
    if (!set.ok()) return set.status();
    const gitsync::SyncPlan plan = gitsync::PlanSync(basis.view, basis.application, *set,
                                                     gitsync::PushOptions(), basis.context);
    ASSIGN_OR_RETURN(Json report, DiffReport(basis.view, plan, *set));
    report.Set("repository", name);
    return report;
  }

  static Result<gitsync::ManifestSet> Parse(const Basis& basis,
                                            const std::vector<gitsync::TreeEntry>& entries,
                                            const gitsync::ReadBlobFunction& read) {
    ASSIGN_OR_RETURN(const gitsync::Discovery discovery,
                     gitsync::Discover(entries, read, basis.application.settings.path));
    gitsync::ParseCache cache;
    return gitsync::ReadManifests(discovery, basis.application.settings.scope, basis.view.schema(),
                                  cache, read);
  }

  static Result<gitsync::ManifestSet> Sent(const Basis& basis, const std::string& body) {
    ASSIGN_OR_RETURN(const SourceArchive archive, DecodeArchive(body));
    ASSIGN_OR_RETURN(
        gitsync::ManifestSet set,
        Parse(basis, archive.entries, [&](const std::string& oid) { return archive.Blob(oid); }));
    set.commit = archive.commit;
    set.tree = archive.tree;
    return set;
  }

  Result<gitsync::ManifestSet> Stored(const Basis& basis, const std::string& revision) {
    const std::lock_guard<std::mutex> lock(git_mutex_);
    const std::string& name = basis.application.settings.source;
    ASSIGN_OR_RETURN(const std::string commit, Resolve(basis.application, revision));
    ASSIGN_OR_RETURN(const gitsync::CommitInfo info, git_->ReadCommit(name, commit));
    ASSIGN_OR_RETURN(const std::vector<gitsync::TreeEntry> tree, git_->ReadTree(name, commit));
    ASSIGN_OR_RETURN(gitsync::ManifestSet set, Parse(basis, tree, [&](const std::string& oid) {
                       return git_->ReadBlob(name, oid);
                     }));
    set.commit = commit;
    set.tree = info.tree;
    return set;
  }

  Result<std::string> Resolve(const gitsync::Application& application,
                              const std::string& revision) {
    const std::string branch = "refs/heads/" + application.settings.branch;
    const Result<std::string> head = git_->Resolve(application.settings.source, branch);
    if (revision.empty() && !head.ok() && head.status().code() == Code::kNotFound) {
      return Status(Code::kNotFound,
                    "nothing was pushed to repository " + application.settings.source + " yet");
    }
    if (revision.empty()) return head;
    if (gitsync::IsObjectId(revision)) return revision;
    const Result<std::string> named =
        git_->Resolve(application.settings.source, "refs/heads/" + revision);
    if (named.ok()) return named;
    if (head.ok() && revision.size() >= 4) {
      ASSIGN_OR_RETURN(const std::vector<gitsync::CommitInfo> history,
                       git_->History(application.settings.source, *head, kMaxSearchedCommits));
      for (const gitsync::CommitInfo& commit : history) {
        if (commit.oid.starts_with(revision)) return commit.oid;
      }
    }
    return Status(Code::kNotFound, "repository " + application.settings.source +
                                       " has no branch \"" + revision +
                                       "\" and no such commit on " + application.settings.branch);
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
