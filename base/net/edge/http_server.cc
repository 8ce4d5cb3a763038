// The server: routes, a listening socket, a few pollers among which connections are dealt out, and
// workers for handlers that block. No thread belongs to a connection or to a stream: memory and
// descriptors are what limits their number, so max_connections does.
#include "base/net/edge/http_server.h"

#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "base/edge/poller.h"
#include "base/log.h"
#include "base/net/edge/acceptor.h"
#include "base/net/edge/channel.h"
#include "base/net/edge/channel_streams.h"
#include "base/net/edge/connection.h"
#include "base/net/edge/inflate.h"
#include "base/net/edge/tls_listener.h"
#include "base/net/edge/worker_pool.h"
#include "base/net/newcomers.h"

namespace base {
namespace {

constexpr size_t kMaxPollers = 4;
constexpr size_t kMaxBufferedBodies = 256u << 20;   // of all requests being received
constexpr size_t kMaxExchangeBacklog = 256u << 10;  // then a worker's write waits

HttpResponse NoAnswer() {
  return FailureResponse(Status(Code::kInternal, "the request ended without an answer"));
}

class LoopReply final : public Reply {
 public:
  LoopReply(Loop& loop, std::shared_ptr<Channel> channel)
      : loop_(loop), channel_(std::move(channel)) {}
  ~LoopReply() override {
    if (channel_) channel_->Send(NoAnswer());
  }
  void Send(HttpResponse response) override { Answered()->Send(std::move(response)); }
  std::unique_ptr<Stream> Start(HttpResponse head) override {
    std::shared_ptr<Channel> channel = Answered();
    channel->Begin(head, /*patient=*/true);
    return NewChannelStream(loop_, std::move(channel));
  }
  std::unique_ptr<Duplex> Upgrade(HttpResponse head) override {
    return NewChannelDuplex(loop_, Answered(), std::move(head));
  }
  void OnGone(std::function<void()> gone) override {
    CHECK(channel_ != nullptr);
    gone_ = std::make_shared<const std::function<void()>>(std::move(gone));
    channel_->OnGone([&loop = loop_, weak = std::weak_ptr(gone_)] {
      loop.Post([weak] {
        if (const auto call = weak.lock()) (*call)();
      });
    });
  }

 private:
  std::shared_ptr<Channel> Answered() {
    CHECK(channel_ != nullptr);
    gone_.reset();
    return std::exchange(channel_, nullptr);
  }

  Loop& loop_;
  std::shared_ptr<Channel> channel_;  // until it is answered
  std::shared_ptr<const std::function<void()>> gone_;
};

class WorkerExchange final : public Exchange {
 public:
  WorkerExchange(IncomingRequest incoming, std::shared_ptr<Channel> channel)
      : incoming_(std::move(incoming)), channel_(std::move(channel)) {
    gzip_ = incoming_.request.headers.erase("content-encoding") > 0;
  }
  ~WorkerExchange() override {
    if (!channel_->begun()) channel_->Send(NoAnswer());
  }

  const IncomingRequest& incoming() const override { return incoming_; }

  Status ReadBody(size_t limit, const std::function<bool(std::string_view)>& sink) override {
    size_t total = 0;
    bool stopped = false;
    bool too_large = false;
    auto count = [&](std::string_view piece) {
      total += piece.size();
      too_large = total > limit;
      stopped = too_large || !sink(piece);
      return !stopped;
    };
    GzipReader reader;
    for (;;) {
      ASSIGN_OR_RETURN(std::string piece, channel_->ReadBody());
      if (piece.empty()) break;
      if (gzip_) {
        RETURN_IF_ERROR(reader.Feed(piece, count));
      } else {
        count(piece);
      }
      if (too_large) {
        return {Code::kTooLarge,
                "the request's body is larger than " + std::to_string(limit) + " bytes"};
      }
      if (stopped) return {};
    }
    return gzip_ && total > 0 ? reader.Finish() : Status();
  }

  void Send(const HttpResponse& response) override { channel_->Send(response); }

  void Stream(
      const HttpResponse& head,
      const std::function<void(const std::function<bool(std::string_view)>&)>& source) override {
    channel_->Begin(head, /*patient=*/false);
    source([&](std::string_view bytes) {
      return channel_->WriteBlocking(std::make_shared<const std::string>(bytes),
                                     kMaxExchangeBacklog);
    });
    channel_->Finish();
  }

 private:
  IncomingRequest incoming_;
  std::shared_ptr<Channel> channel_;
  bool gzip_;
};

bool Leads(const std::string& prefix, const std::string& path) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/');
}

class HttpServerImpl final : public HttpServer, public ConnectionHost {
 public:
  HttpServerImpl(Loop& loop, HttpServerOptions options)
      : loop_(loop),
        options_(std::move(options)),
        newcomers_(options_.max_connections, options_.max_newcomers_of_address),
        unsent_(std::make_shared<ByteBudget>(options_.max_unsent_bytes)),
        readers_(static_cast<size_t>(std::max(1, options_.workers))),
        writers_(static_cast<size_t>(std::max(1, options_.workers))) {}
  ~HttpServerImpl() override { Stop(); }

  void AddLoopHandler(std::string prefix, LoopHandler handler) override {
    AddRoute({std::move(prefix), std::move(handler), nullptr, nullptr});
  }
  void AddWorkerHandler(std::string prefix, WorkerHandler handler, WritesFunction writes) override {
    AddRoute({std::move(prefix), nullptr, std::move(handler), std::move(writes)});
  }
  Status Start() override;
  int port() const override { return port_; }
  Status Reload(const std::string& certificate_pem, const std::string& key_pem) override;
  void Stop() override;

 private:
  const HttpServerOptions& options() const override { return options_; }
  std::shared_ptr<const Route> RouteOf(const HttpRequest& request) const override;
  void Serve(std::shared_ptr<const Route> route, IncomingRequest incoming, const std::string& user,
             std::shared_ptr<Channel> channel) override;
  bool ReserveBody(size_t bytes) override;
  void ReleaseBody(size_t bytes) override { buffered_bodies_ -= bytes; }
  const std::shared_ptr<ByteBudget>& unsent() const override { return unsent_; }
  bool ConnectionKnown(uint64_t number, const std::string& user) override;
  void ConnectionClosed(uint64_t number) override;

  struct Place {
    Poller* poller = nullptr;
    Poller::Id id = 0;
  };
  void AddRoute(Route route);
  void Adopt(UniqueFd fd, AcceptedPeer peer);
  bool TakePlace(uint64_t number, const std::string& share, const Place& place);

  Loop& loop_;
  const HttpServerOptions options_;
  std::vector<std::shared_ptr<const Route>> routes_;  // longest prefix first
  int port_ = 0;
  std::mutex context_mutex_;
  TlsContext context_;
  std::atomic<size_t> connections_{0};
  std::mutex places_mutex_;
  Newcomers newcomers_;
  std::map<uint64_t, Place> places_;  // of newcomers
  std::map<uint64_t, std::string> user_of_;
  std::map<std::string, size_t> connections_of_;
  std::atomic<size_t> buffered_bodies_{0};
  const std::shared_ptr<ByteBudget> unsent_;  // channels may outlive this
  uint64_t last_number_ = 0;
  WorkerPool readers_, writers_;
  std::vector<std::unique_ptr<Poller>> pollers_;
  bool started_ = false;
};

void HttpServerImpl::AddRoute(Route route) {
  CHECK(!started_ && route.prefix.starts_with('/'));
  if (route.prefix.size() > 1 && route.prefix.ends_with('/')) route.prefix.pop_back();
  routes_.push_back(std::make_shared<const Route>(std::move(route)));
  std::stable_sort(routes_.begin(), routes_.end(), [](const auto& left, const auto& right) {
    return left->prefix.size() > right->prefix.size();
  });
}

std::shared_ptr<const Route> HttpServerImpl::RouteOf(const HttpRequest& request) const {
  // Segments hold no slash: joined, they name one resource in one way only.
  std::string path;
  for (const std::string& segment : request.segments) path.append("/").append(segment);
  if (path.empty()) path = "/";
  for (const std::shared_ptr<const Route>& route : routes_) {
    if (Leads(route->prefix, path)) return route;
  }
  return nullptr;
}

Status HttpServerImpl::Start() {
  CHECK(!started_);
  ASSIGN_OR_RETURN(context_, MakeServerContext(options_.certificate_pem, options_.key_pem,
                                               options_.client_ca_pem));
  ASSIGN_OR_RETURN(ListeningSocket listener, Listen(options_.address, options_.port));
  port_ = listener.port;
  started_ = true;
  size_t count = std::clamp<size_t>(std::thread::hardware_concurrency() / 2, 1, kMaxPollers);
  for (size_t i = 0; i < count; ++i) {
    pollers_.push_back(std::make_unique<Poller>());
    RETURN_IF_ERROR(pollers_.back()->Start());
  }
  StartAccepting(*pollers_.front(), options_.address, std::move(listener),
                 [this](UniqueFd fd, AcceptedPeer peer) { Adopt(std::move(fd), std::move(peer)); });
  return {};
}

Status HttpServerImpl::Reload(const std::string& certificate_pem, const std::string& key_pem) {
  ASSIGN_OR_RETURN(TlsContext context,
                   MakeServerContext(certificate_pem, key_pem, options_.client_ca_pem));
  std::lock_guard lock(context_mutex_);
  context_ = std::move(context);
  return {};
}

void HttpServerImpl::Stop() {
  // Connections end with their pollers; that wakes the workers that wait for a peer.
  for (const std::unique_ptr<Poller>& poller : pollers_) poller->Stop();
  readers_.Stop();
  writers_.Stop();
}

// On the first poller's thread.
void HttpServerImpl::Adopt(UniqueFd fd, AcceptedPeer peer) {
  TlsContext context;
  {
    std::lock_guard lock(context_mutex_);
    context = context_;
  }
  Owned<SSL> ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1) return;
  const uint64_t number = ++last_number_;
  Poller& poller = *pollers_[number % pollers_.size()];
  const Poller::Id id = poller.NextId();
  if (!TakePlace(number, peer.share, {&poller, id})) {
    LogWarning("connection refused: too many are open", {{"peer", peer.text}});
    return;
  }
  ++connections_;
  auto parts = std::make_shared<std::tuple<UniqueFd, Owned<SSL>, std::string>>(
      std::move(fd), std::move(ssl), std::move(peer.text));
  poller.Post([this, &poller, id, number, parts] {
    auto& [socket, tls, text] = *parts;
    int raw = socket.get();
    auto connection = std::make_unique<Connection>(*this, poller, id, number, std::move(socket),
                                                   std::move(tls), std::move(text));
    poller.Add(id, std::move(connection), raw, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  });
}

// Somebody else may have to go for it, who is not known; false if nobody is there who could.
bool HttpServerImpl::TakePlace(uint64_t number, const std::string& share, const Place& place) {
  std::lock_guard lock(places_mutex_);
  std::optional<Newcomers::Id> leaver = newcomers_.Add(number, share);
  if (!leaver && connections_ >= options_.max_connections) {
    leaver = newcomers_.Oldest();
    newcomers_.Remove(*leaver);
    if (*leaver == number) return false;
  }
  places_[number] = place;
  if (!leaver) return true;
  const Place left = places_.extract(*leaver).mapped();
  left.poller->Post([left] { left.poller->Remove(left.id); });
  return true;
}

bool HttpServerImpl::ConnectionKnown(uint64_t number, const std::string& user) {
  std::lock_guard lock(places_mutex_);
  if (!user.empty()) {
    size_t& count = connections_of_[user];
    if (count >= std::max<size_t>(1, options_.max_connections / 2)) return false;
    ++count;
    user_of_[number] = user;
  }
  newcomers_.Remove(number);
  places_.erase(number);
  return true;
}

void HttpServerImpl::ConnectionClosed(uint64_t number) {
  std::lock_guard lock(places_mutex_);
  newcomers_.Remove(number);
  places_.erase(number);
  --connections_;
  const auto user = user_of_.extract(number);
  if (user.empty()) return;
  const auto count = connections_of_.find(user.mapped());
  if (--count->second == 0) connections_of_.erase(count);
}

void HttpServerImpl::Serve(std::shared_ptr<const Route> route, IncomingRequest incoming,
                           const std::string& user, std::shared_ptr<Channel> channel) {
  // Tasks and jobs are copyable, requests are not.
  auto request = std::make_shared<IncomingRequest>(std::move(incoming));
  if (route->loop) {
    auto reply = std::make_shared<std::unique_ptr<Reply>>(
        std::make_unique<LoopReply>(loop_, std::move(channel)));
    loop_.Post([route = std::move(route), request, reply] {
      route->loop(std::move(*request), std::move(*reply));
    });
    return;
  }
  WorkerPool& workers = route->writes && route->writes(request->request) ? writers_ : readers_;
  bool accepted = workers.Submit(user, [route = std::move(route), request, channel] {
    WorkerExchange exchange(std::move(*request), channel);
    route->worker(exchange);
  });
  if (accepted) return;
  HttpResponse busy = FailureResponse(
      Status(Code::kUnavailable, "too many transfers are under way; try again in some seconds"));
  busy.headers.emplace_back("Retry-After", "5");
  channel->Send(std::move(busy));
}

bool HttpServerImpl::ReserveBody(size_t bytes) {
  if (buffered_bodies_.fetch_add(bytes) + bytes <= kMaxBufferedBodies) return true;
  buffered_bodies_ -= bytes;
  return false;
}

}  // namespace

std::unique_ptr<HttpServer> HttpServer::Create(Loop& loop, HttpServerOptions options) {
  return std::make_unique<HttpServerImpl>(loop, std::move(options));
}

}  // namespace base
