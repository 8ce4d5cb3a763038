// A change marks all watchers for one refresh after kStatusDelay, so that a rollout of a thousand
// pods is a few reports a second; a report equal to the last one is not sent, but for a heartbeat,
// by which the reader knows that the server is there.
#include "plumb/server/status_feed.h"

#include "plumb/version.h"
#include "state/authorize.h"

namespace plumb {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

struct StatusFeed::Watcher {
  StatusQuery query;
  std::unique_ptr<base::Stream> stream;
  std::string sent;
  bool making = false;
  bool again = false;  // it changed while a report was made
};

StatusFeed::StatusFeed(base::Loop& loop, state::Store& store, Authenticator authenticate)
    : loop_(loop), store_(store), authenticate_(std::move(authenticate)) {
  on_durable_ = store_.OnDurable([this] { Changed(); });
  heartbeat_ = loop_.After(kStatusHeartbeat, [this] { Beat(); });
}

StatusFeed::~StatusFeed() { loop_.Cancel(heartbeat_); }

Result<base::Identity> StatusFeed::Admit(const base::IncomingRequest& incoming, bool watch) const {
  ASSIGN_OR_RETURN(const base::Identity identity, authenticate_(incoming));
  // A page about everything is for those who may list everything.
  const state::AccessObject all{.key = {"pods", "", ""}};
  if (!state::Authorize(identity, "list", all, store_.view()).ok()) {
    return Status(identity.user.empty() ? Code::kUnauthorized : Code::kForbidden,
                  "a credential with the role viewer, deployer or admin is needed");
  }
  if (incoming.request.method != "GET") {
    return Status(Code::kMethodNotAllowed, incoming.request.method + " is not served here");
  }
  if (watch && watchers_.size() >= kMaxStatusWatchers) {
    return Status(Code::kTooManyRequests, "more than " + std::to_string(kMaxStatusWatchers) +
                                              " watch the status; leave "
                                              "out --watch, or try again later");
  }
  return identity;
}

void StatusFeed::Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
  const base::HttpRequest& request = incoming.request;
  const bool watch = request.Query("watch") == "true";
  const Result<base::Identity> admitted = Admit(incoming, watch);
  if (!admitted.ok()) return reply->Send(base::FailureResponse(admitted.status()));
  const StatusQuery query{std::string(request.Query("namespace")),
                          std::string(request.Query("kind")), std::string(request.Query("name"))};
  auto shared =
      std::make_shared<std::unique_ptr<base::Reply>>(open_.Guard(*admitted, std::move(reply)));
  Make(query, [this, query, watch, shared](Result<Json> report) {
    if (!report.ok()) return (*shared)->Send(base::FailureResponse(report.status()));
    if (watch) return Start(query, *std::move(report), std::move(*shared));
    base::HttpResponse response;
    response.body = report->ToString() + "\n";
    (*shared)->Send(std::move(response));
  });
}

void StatusFeed::Make(const StatusQuery& query, std::function<void(Result<Json>)> done) {
  const state::View view = store_.view();
  store_.WhenDurable(view.revision(), lifeline_.Wrap([this, query, view, done = std::move(done)] {
    loop_.OffloadTo(base::Loop::Lane::kAnswers,
                    [query, view, done = lifeline_.Wrap(done)]() -> base::Loop::Task {
                      Result<Json> report = query.kind.empty()
                                                ? Result<Json>(ClusterStatus(view, query.ns))
                                                : ObjectStatus(view, query);
                      if (report.ok()) report->Set("version", kVersion);
                      return [done, report = std::move(report)] { done(report); };
                    });
  }));
}

void StatusFeed::Start(const StatusQuery& query, Json first, std::unique_ptr<base::Reply> reply) {
  const uint64_t id = next_id_++;
  auto watcher = std::make_shared<Watcher>();
  watcher->query = query;
  watcher->sent = first.ToString() + "\n";
  watcher->stream = reply->Start(base::HttpResponse());
  // Later: the peer may be found gone in the middle of a write.
  watcher->stream->OnClosed(lifeline_.Wrap(
      [this, id] { loop_.Post(lifeline_.Wrap([this, id] { watchers_.erase(id); })); }));
  watchers_[id] = watcher;
  watcher->stream->Write(watcher->sent);
}

void StatusFeed::Changed() {
  if (scheduled_ || watchers_.empty()) return;
  scheduled_ = true;
  loop_.After(kStatusDelay, lifeline_.Wrap([this] {
    scheduled_ = false;
    for (const auto& [id, watcher] : watchers_) Refresh(id, /*always=*/false);
  }));
}

void StatusFeed::Beat() {
  heartbeat_ = loop_.After(kStatusHeartbeat, [this] { Beat(); });
  for (const auto& [id, watcher] : watchers_) Refresh(id, /*always=*/true);
}

void StatusFeed::Refresh(uint64_t id, bool always) {
  const WatcherPtr watcher = watchers_.at(id);
  watcher->again = watcher->making;
  if (watcher->making) return;
  watcher->making = true;
  Make(watcher->query, [this, id, watcher, always](Result<Json> report) {
    watcher->making = false;
    if (!watchers_.contains(id)) return;
    if (!report.ok()) {  // the object is gone
      watchers_.erase(id);
      return;
    }
    std::string line = report->ToString() + "\n";
    if (always || line != watcher->sent) {
      watcher->sent = std::move(line);
      if (!watcher->stream->Write(watcher->sent)) {
        watchers_.erase(id);
        return;
      }
    }
    if (watcher->again) Refresh(id, /*always=*/false);
  });
}

}  // namespace plumb
