// One turn a request: the newest View, Api's answer, and the commit, so that nothing can change in
// between. Only then it waits: for the disk. A long answer is made on a worker, of the View that it
// was asked of; so is a long write, which is made again if what it changes has changed meanwhile,
// in the end in one turn. What is in flight is what waits for either.
#include "state/api/api_server.h"

#include "state/api/status.h"

namespace state {
namespace {

constexpr int kMaxTooLate = 3;  // long writes are made so often beside the loop

bool IsWrite(const base::HttpRequest& request) {
  return request.method != "GET" && request.method != "HEAD";
}

base::HttpResponse TooManyRequests() {
  return FailureAnswer(base::Status(base::Code::kTooManyRequests,
                                    "too many requests wait to be answered; try again later"),
                       About());
}

base::HttpResponse NothingIsTaken(const std::string& held) {
  return FailureAnswer(base::Status(base::Code::kUnavailable,
                                    "no changes are taken for now: " + held + "; try again later"),
                       About());
}

// The details of a failed commit, as of any other failure.
About AboutOf(const base::HttpRequest& request, const manifests::Schema& schema) {
  const ApiRoute route = ParseRoute(request.segments);
  return About{schema.FindResource(route.group, route.version, route.plural), route.name};
}

// The newest durable state. A first state is waited for: to clients, revision 0 is no revision.
const View& ReadableView(const Store& store) {
  return store.durable() == 0 ? store.view() : store.durable_view();
}

}  // namespace

ApiServer::ApiServer(base::Loop& loop, Store& store, const Api& api, const ClusterConfig& config,
                     Authenticator authenticate, OpenStream open_stream,
                     const ApiServerOptions& options)
    : loop_(loop),
      store_(store),
      api_(api),
      authenticate_(std::move(authenticate)),
      open_stream_(std::move(open_stream)),
      options_(options),
      writer_(loop, store, DraftContext{&config, base::WallTime(), options.seed},
              nullptr),  // each request has its own
      watches_(loop, store, options.watches) {}

const std::vector<std::string>& ApiServer::Prefixes() {
  static const std::vector<std::string> kPrefixes = {"/api",     "/apis",   "/healthz", "/livez",
                                                     "/openapi", "/readyz", "/version"};
  return kPrefixes;
}

void ApiServer::Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
  base::Result<base::Identity> identity = authenticate_(incoming);
  if (!identity.ok()) {
    reply->Send(FailureAnswer(base::Status(base::Code::kUnauthorized, "Unauthorized"), About()));
    return;
  }
  base::HttpRequest& request = incoming.request;
  request.identity = *std::move(identity);
  const bool write = IsWrite(request);
  if (InFlight(write) >= (write ? options_.max_writes_in_flight : options_.max_reads_in_flight)) {
    reply->Send(TooManyRequests());
    return;
  }
  if (const std::string held = store_.held(); write && !held.empty()) {
    reply->Send(NothingIsTaken(held));
    return;
  }
  const View view = write ? store_.view() : ViewFor(request);
  const DraftContext context = writer_.NewContext();
  if (Api::IsLong(request, view)) {
    auto asked = std::make_shared<LongRequest>();
    *asked = {std::move(request), std::move(reply), write};
    HandleOnWorker(std::move(asked), view, context);
    return;
  }
  Answered(api_.Handle(request, view, context), view, request, write, std::move(reply));
}

void ApiServer::Answered(Answer answer, const View& view, const base::HttpRequest& request,
                         bool write, std::unique_ptr<base::Reply> reply) {
  if (auto* response = std::get_if<Response>(&answer)) {
    if (response->keep_view) KeepView(view);
    SendWhenDurable(response->at_least, write, std::move(response->http), std::move(reply));
  } else if (auto* change = std::get_if<Proposed>(&answer)) {
    Committed(store_.Commit(change->transaction), *change, request, std::move(reply));
  } else if (auto* watch = std::get_if<WatchRequest>(&answer)) {
    StartWatch(std::move(*watch), open_.Guard(request.identity, std::move(reply)));
  } else {
    StartStream(std::get<PodStream>(answer), request,
                open_.Guard(request.identity, std::move(reply)));
  }
}

// The state moves on meanwhile: an answer is of its View.
void ApiServer::HandleOnWorker(std::shared_ptr<LongRequest> asked, const View& view,
                               const DraftContext& context) {
  ++InFlight(asked->write);
  loop_.OffloadTo(
      base::Loop::Lane::kAnswers,
      [this, tie = lifeline_.tie(), api = api_, asked = std::move(asked), view, context,
       min_prepared = store_.min_prepared_writes()]() -> base::Loop::Task {
        auto answer = std::make_shared<Answer>(api.Handle(asked->request, view, context));
        std::shared_ptr<PreparedTransaction> prepared;
        const auto* write = std::get_if<Proposed>(answer.get());
        if (write != nullptr && write->transaction.writes.size() >= min_prepared)
          prepared = std::make_shared<PreparedTransaction>(view, write->transaction.writes);
        return tie.Wrap([this, view, answer, prepared, asked] {
          --InFlight(asked->write);
          if (auto* proposed = std::get_if<Proposed>(answer.get())) {
            CommitLong(asked, std::move(*proposed), prepared.get());
          } else {
            Answered(std::move(*answer), view, asked->request, asked->write,
                     std::move(asked->reply));
          }
        });
      });
}

void ApiServer::CommitLong(std::shared_ptr<LongRequest> asked, Proposed write,
                           PreparedTransaction* prepared) {
  auto committed = store_.Commit(write.transaction, prepared);
  if (committed.ok()) {
    RenderOnWorker(std::move(asked), std::move(write), *std::move(committed));
  } else if (committed.status().code() != base::Code::kConflict) {
    Committed(committed, write, asked->request, std::move(asked->reply));
  } else if (++asked->too_late < kMaxTooLate) {
    HandleOnWorker(std::move(asked), store_.view(), writer_.NewContext());
  } else {
    const View& view = store_.view();
    Answered(api_.Handle(asked->request, view, writer_.NewContext()), view, asked->request, true,
             std::move(asked->reply));
  }
}

void ApiServer::RenderOnWorker(std::shared_ptr<LongRequest> asked, Proposed write,
                               Store::Committed committed) {
  ++InFlight(true);
  loop_.OffloadTo(base::Loop::Lane::kAnswers,
                  [this, tie = lifeline_.tie(), asked = std::move(asked), write = std::move(write),
                   committed = std::move(committed)]() -> base::Loop::Task {
                    auto http = std::make_shared<base::HttpResponse>(write.render(committed));
                    return tie.Wrap([this, asked, http, last = committed.last] {
                      --InFlight(true);
                      SendWhenDurable(last, true, std::move(*http), std::move(asked->reply));
                    });
                  });
}

View ApiServer::ViewFor(const base::HttpRequest& request) {
  const std::optional<Revision> wanted = Api::WantedRevision(request);
  if (!wanted) return ReadableView(store_);
  const base::MonotonicTime now = loop_.now().monotonic;
  while (!kept_.empty() && kept_.front().until < now) kept_.pop_front();
  for (const KeptView& kept : kept_) {
    if (kept.view.revision() == *wanted) return kept.view;
  }
  return ReadableView(store_);
}

void ApiServer::KeepView(const View& view) {
  const base::MonotonicTime until = loop_.now().monotonic + options_.view_lifetime;
  std::erase_if(kept_, [&](const KeptView& kept) {
    return kept.view.revision() == view.revision() || kept.until < loop_.now().monotonic;
  });
  kept_.push_back({view, until});
  if (kept_.size() > options_.max_kept_views) kept_.pop_front();
}

void ApiServer::SendWhenDurable(Revision revision, bool write, base::HttpResponse response,
                                std::unique_ptr<base::Reply> reply) {
  if (revision <= store_.durable()) {
    reply->Send(std::move(response));
    return;
  }
  ++InFlight(write);
  auto shared = std::make_shared<std::unique_ptr<base::Reply>>(std::move(reply));
  store_.WhenDurable(revision, [this, tie = lifeline_.tie(), write, shared,
                                response = std::move(response)]() mutable {
    if (tie.holds()) --InFlight(write);
    (*shared)->Send(std::move(response));
  });
}

void ApiServer::Committed(const base::Result<Store::Committed>& committed, const Proposed& write,
                          const base::HttpRequest& request, std::unique_ptr<base::Reply> reply) {
  if (!committed.ok()) {
    reply->Send(FailureAnswer(committed.status(), AboutOf(request, *store_.view().schema())));
    return;
  }
  SendWhenDurable(store_.revision(), true, write.render(*committed), std::move(reply));
}

void ApiServer::StartStream(const PodStream& stream, const base::HttpRequest& request,
                            std::unique_ptr<base::Reply> reply) {
  if (std::holds_alternative<LogRequest>(stream.request)) {
    relays_.ServeLog(open_stream_(stream), std::move(reply));
    return;
  }
  const base::Result<base::WebSocketHandshake> handshake = StreamRelays::Handshake(request);
  if (!handshake.ok()) {
    reply->Send(FailureAnswer(handshake.status(), About()));
    return;
  }
  relays_.ServeExec(open_stream_(stream), *handshake, std::move(reply));
}

void ApiServer::StartWatch(WatchRequest request, std::unique_ptr<base::Reply> reply) {
  const Revision after = request.after;
  auto shared_request = std::make_shared<WatchRequest>(std::move(request));
  auto shared = std::make_shared<std::unique_ptr<base::Reply>>(std::move(reply));
  store_.WhenDurable(after, lifeline_.Wrap([this, shared_request, shared] {
    if (const base::Status status = watches_.Admit(*shared_request); !status.ok()) {
      (*shared)->Send(FailureAnswer(status, About(), shared_request->as));
      return;
    }
    base::HttpResponse head;
    head.content_type = WatchTypeOf(shared_request->as);
    watches_.Add(std::move(*shared_request), (*shared)->Start(head));
  }));
}

}  // namespace state
