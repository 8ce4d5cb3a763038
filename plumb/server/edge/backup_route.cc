// The View is taken before the repositories: what is pushed meanwhile is then newer in Git than in
// the objects, and a restored server applies it as it would after any restart.
//
// A repository that Git cannot read whole is named at the end and left out: it is no reason to have
// no backup of all the rest. What of it was written before that was found out means nothing.
#include "plumb/server/edge/backup_route.h"

#include <atomic>

#include "base/document.h"
#include "base/log.h"
#include "gitsync/edge/git_bundle.h"
#include "gitsync/plan/repository.h"
#include "plumb/endpoints.h"
#include "plumb/reports/backup_format.h"
#include "plumb/server/edge/ask_loop.h"
#include "plumb/version.h"
#include "state/authorize.h"
#include "state/record.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;

struct Moment {
  state::View view;
  base::WallTime now;
};

class Backup {
 public:
  Backup(const BackupSource& source, const Moment& moment,
         const std::function<bool(std::string_view)>& sink)
      : source_(source), moment_(moment), sink_(sink) {}

  // The peer sees how it went by the last frame.
  void Run() {
    const Status status = WriteAll();
    if (!status.ok()) (void)Put(FrameKind::kFailed, status.message());
  }

 private:
  Status Put(FrameKind kind, std::string_view payload) {
    if (sink_(writer_.Write(kind, payload))) return Status();
    return Status(Code::kCancelled, "nobody reads the backup any more");
  }

  Status WriteAll() {
    const state::View& view = moment_.view;
    RETURN_IF_ERROR(
        Put(FrameKind::kHead, Json::MakeObject({{"plumb", kVersion},
                                                {"created", moment_.now.ToString()},
                                                {"revision", std::to_string(view.revision())},
                                                {"storeFormat", state::kFormatVersion}})
                                  .ToString()));
    Status status;
    view.ForEach([&](const state::ObjectPtr& object) {
      if (!status.ok()) return;
      const std::string key = state::RecordKey(object->revision);
      status = Put(FrameKind::kObject,
                   key.substr(state::kLogFirst.size()) +
                       state::EncodeRecord(state::Record{false, /*last=*/true, object}));
    });
    RETURN_IF_ERROR(status);
    for (const std::string& name : gitsync::SourceNames(view)) {
      RETURN_IF_ERROR(WriteRepository(name));
    }
    return Put(FrameKind::kEnd, Json::MakeObject({{"objects", static_cast<int64_t>(view.size())},
                                                  {"files", files_},
                                                  {"leftOut", left_out_}})
                                    .ToString());
  }

  Status WriteRepository(const std::string& name) {
    bool begun = false;
    Status status;
    const Status bundled = gitsync::WriteBundle(source_.git, name, [&](std::string_view bytes) {
      if (!begun) status = Put(FrameKind::kFile, "git/" + name + ".bundle");
      begun = true;
      if (status.ok()) status = WriteData(bytes);
      return status.ok();
    });
    RETURN_IF_ERROR(status);
    files_ += begun;
    if (bundled.ok()) return Status();
    base::LogWarning("a repository is not in the backup",
                     {{"repository", name}, {"why", std::string(bundled.message())}});
    left_out_.Append(
        Json::MakeObject({{"repository", name}, {"why", std::string(bundled.message())}}));
    return Status();
  }

  Status WriteData(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kMaxDataBytes);
      RETURN_IF_ERROR(Put(FrameKind::kData, piece));
      bytes.remove_prefix(piece.size());
    }
    return Status();
  }

  const BackupSource& source_;
  const Moment& moment_;
  const std::function<bool(std::string_view)>& sink_;
  BackupWriter writer_;
  int64_t files_ = 0;
  Json left_out_ = Json::MakeArray();
};

class BackupService {
 public:
  BackupService(const BackupSource& source, Authenticator authenticate)
      : source_(source), authenticate_(std::move(authenticate)) {}

  void Serve(base::Exchange& exchange) {
    // First: who may not make one holds up nobody who may.
    if (const Status admitted = Admit(exchange.incoming()); !admitted.ok())
      return exchange.Send(base::FailureResponse(admitted));
    if (running_.exchange(true)) {
      return exchange.Send(base::FailureResponse(
          Status(Code::kTooManyRequests, "another backup is being made; wait for its end")));
    }
    if (const base::Result<Moment> moment = Now(); !moment.ok()) {
      exchange.Send(base::FailureResponse(moment.status()));
    } else {
      base::HttpResponse head;
      head.content_type = "application/octet-stream";
      exchange.Stream(head, [&](const std::function<bool(std::string_view)>& write) {
        Backup(source_, *moment, write).Run();
      });
    }
    running_ = false;
  }

 private:
  Status Admit(const base::IncomingRequest& incoming) const {
    ASSIGN_OR_RETURN(const base::Identity identity, authenticate_(incoming));
    if (!state::Authorize(identity, "get", {.path = kBackupPath}, state::View()).ok()) {
      return Status(Code::kForbidden,
                    "a backup holds every secret of the cluster: only an administrator may make "
                    "one; use the kubeconfig of the server");
    }
    if (incoming.request.method == "GET") return Status();
    return Status(Code::kMethodNotAllowed, "a backup is a GET");
  }

  // The newest state that is durable.
  base::Result<Moment> Now() {
    return AskLoop<Moment>(source_.loop, [this](auto answer) {
      const state::View view = source_.store.view();
      source_.store.WhenDurable(view.revision(), [this, answer, view] {
        answer(Moment{view, source_.loop.now().wall});
      });
    });
  }

  const BackupSource source_;
  const Authenticator authenticate_;
  std::atomic<bool> running_{false};
};

}  // namespace

void AddBackupRoute(base::Routes& routes, const BackupSource& source, Authenticator authenticate) {
  auto service = std::make_shared<BackupService>(source, std::move(authenticate));
  routes.AddWorkerHandler(kBackupPath,
                          [service](base::Exchange& exchange) { service->Serve(exchange); });
}

}  // namespace plumb
