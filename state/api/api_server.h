// ApiServer: serves the API over HTTP: authenticates, asks Api what to do, and does it: commits,
// opens watches, hands logs over. An answer leaves only when what it tells is durable.
//
// Loop only. Connect it with a server (base::Routes) by
//   routes.AddLoopHandler("/api", [&](IncomingRequest r, std::unique_ptr<Reply> reply) {
//     api_server.Handle(std::move(r), std::move(reply)); });
// and the same for /apis, /version, /openapi, /healthz, /livez, /readyz.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/exchange.h"
#include "base/net/open_streams.h"
#include "state/api/api.h"
#include "state/api/stream_relays.h"
#include "state/api/watch_hub.h"
#include "state/draft.h"
#include "state/store.h"
#include "state/writer.h"

namespace state {

struct ApiServerOptions {
  // Requests whose answer waits to be durable, as Kubernetes' limits; more are told to come back.
  size_t max_reads_in_flight = 400;
  size_t max_writes_in_flight = 200;
  // Views kept so that a list that is read in pages stays consistent.
  size_t max_kept_views = 16;
  base::Duration view_lifetime = base::Duration::Minutes(5);
  WatchOptions watches;
  uint64_t seed = 1;  // of uids and generated names: a fresh one for each start of the program
};

class ApiServer {
 public:
  using Authenticator = std::function<base::Result<base::Identity>(const base::IncomingRequest&)>;
  // What goes wrong is the stream's end.
  using OpenStream = std::function<std::unique_ptr<base::Duplex>(const PodStream&)>;

  // All must outlive it; requests under way may outlast it and are then not answered.
  ApiServer(base::Loop& loop, Store& store, const Api& api, const ClusterConfig& config,
            Authenticator authenticate, OpenStream open_stream, const ApiServerOptions& options);

  void Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply);

  // Ends the watches, logs and commands of those whom `ended` names.
  void EndStreams(const std::function<bool(const base::Identity&)>& ended) { open_.End(ended); }

  // The path prefixes that it serves.
  static const std::vector<std::string>& Prefixes();

  size_t open_watches() const { return watches_.size(); }
  bool watches_have_all() const { return watches_.HasToldAll(); }

 private:
  struct KeptView {
    View view;
    base::MonotonicTime until;
  };

  void Answered(Answer answer, const View& view, const base::HttpRequest& request, bool write,
                std::unique_ptr<base::Reply> reply);
  // The one place where a request's View is chosen.
  View ViewFor(const base::HttpRequest& request);
  // A request whose answer is long work, and how often what it proposed came too late.
  struct LongRequest {
    base::HttpRequest request;
    std::unique_ptr<base::Reply> reply;
    bool write = false;
    int too_late = 0;
  };
  size_t& InFlight(bool write) { return write ? writes_in_flight_ : reads_in_flight_; }
  void HandleOnWorker(std::shared_ptr<LongRequest> asked, const View& view,
                      const DraftContext& context);
  void CommitLong(std::shared_ptr<LongRequest> asked, Proposed write,
                  PreparedTransaction* prepared);
  void RenderOnWorker(std::shared_ptr<LongRequest> asked, Proposed write,
                      Store::Committed committed);
  void KeepView(const View& view);
  void SendWhenDurable(Revision revision, bool write, base::HttpResponse response,
                       std::unique_ptr<base::Reply> reply);
  void Committed(const base::Result<Store::Committed>& committed, const Proposed& write,
                 const base::HttpRequest& request, std::unique_ptr<base::Reply> reply);
  void StartStream(const PodStream& stream, const base::HttpRequest& request,
                   std::unique_ptr<base::Reply> reply);
  void StartWatch(WatchRequest request, std::unique_ptr<base::Reply> reply);

  base::Loop& loop_;
  Store& store_;
  const Api& api_;
  const Authenticator authenticate_;
  const OpenStream open_stream_;
  const ApiServerOptions options_;
  Writer writer_;
  WatchHub watches_;
  StreamRelays relays_;
  base::OpenStreams open_;
  std::deque<KeptView> kept_;  // oldest first
  size_t reads_in_flight_ = 0;
  size_t writes_in_flight_ = 0;
  base::Lifeline lifeline_;
};

}  // namespace state
