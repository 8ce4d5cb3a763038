// The server: routes, a listening socket, a few pollers among which connections are dealt out, and
// workers for handlers that block. No thread belongs to a connection or to a stream: memory and
// descriptors are what limits their number, so max_connections does.
#include "base/net/edge/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "base/edge/poller.h"
#include "base/log.h"
#include "base/net/edge/channel.h"
#include "base/net/edge/channel_streams.h"
#include "base/net/edge/connection.h"
#include "base/net/edge/inflate.h"
#include "base/net/edge/tls_listener.h"
#include "base/net/edge/worker_pool.h"

namespace base {
namespace {

constexpr size_t kMaxPollers = 4;
constexpr size_t kMaxBufferedBodies = 256u << 20;   // of all requests being received
constexpr size_t kMaxExchangeBacklog = 256u << 10;  // then a worker's write waits
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kAcceptWait = Duration::Millis(100);
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;

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

std::string AddressText(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
}

void SetSocketOptions(int fd) {
  auto set = [fd](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof(value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that vanished without a word is found out while its stream is silent.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

bool Leads(const std::string& prefix, const std::string& path) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/');
}

class HttpServerImpl final : public HttpServer, public ConnectionHost {
 public:
  HttpServerImpl(Loop& loop, HttpServerOptions options)
      : loop_(loop), options_(std::move(options)), workers_(std::max(1, options_.workers)) {}
  ~HttpServerImpl() override { Stop(); }

  void AddLoopHandler(std::string prefix, LoopHandler handler) override {
    AddRoute({std::move(prefix), std::move(handler), nullptr});
  }
  void AddWorkerHandler(std::string prefix, WorkerHandler handler) override {
    AddRoute({std::move(prefix), nullptr, std::move(handler)});
  }
  Status Start() override;
  int port() const override { return listener_.port; }
  Status Reload(const std::string& certificate_pem, const std::string& key_pem) override;
  void Stop() override;

 private:
  // Waits for connections; lives on the first poller.
  class Acceptor final : public Poller::Handler {
   public:
    Acceptor(HttpServerImpl& server, Poller::Id id) : server_(server), id_(id) {}
    void OnEvents(uint32_t) override;
    void OnWake() override {}
    void OnDeadline() override { server_.WatchListener(id_, EPOLLIN); }

   private:
    HttpServerImpl& server_;
    const Poller::Id id_;
  };

  const HttpServerOptions& options() const override { return options_; }
  std::shared_ptr<const Route> RouteOf(const HttpRequest& request) const override;
  void Serve(std::shared_ptr<const Route> route, IncomingRequest incoming,
             std::shared_ptr<Channel> channel) override;
  bool ReserveBody(size_t bytes) override;
  void ReleaseBody(size_t bytes) override { buffered_bodies_ -= bytes; }
  void ConnectionClosed() override { --connections_; }

  void AddRoute(Route route);
  void Adopt(UniqueFd fd, std::string peer_address);
  void WatchListener(Poller::Id id, uint32_t events) {
    pollers_.front()->Modify(id, listener_.fd.get(), events);
  }

  Loop& loop_;
  const HttpServerOptions options_;
  std::vector<std::shared_ptr<const Route>> routes_;  // longest prefix first
  ListeningSocket listener_;
  std::mutex context_mutex_;
  TlsContext context_;
  std::atomic<size_t> connections_{0};
  std::atomic<size_t> buffered_bodies_{0};
  size_t next_poller_ = 0;
  WorkerPool workers_;
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
  ASSIGN_OR_RETURN(listener_, Listen(options_.address, options_.port));
  started_ = true;
  size_t count = std::clamp<size_t>(std::thread::hardware_concurrency() / 2, 1, kMaxPollers);
  for (size_t i = 0; i < count; ++i) {
    pollers_.push_back(std::make_unique<Poller>());
    RETURN_IF_ERROR(pollers_.back()->Start());
  }
  Poller& first = *pollers_.front();
  first.Post([this, &first] {
    Poller::Id id = first.NextId();
    first.Add(id, std::make_unique<Acceptor>(*this, id), listener_.fd.get(), EPOLLIN);
  });
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
  workers_.Stop();
  listener_.fd.Reset();
}

void HttpServerImpl::Acceptor::OnEvents(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    UniqueFd fd(accept4(server_.listener_.fd.get(), reinterpret_cast<sockaddr*>(&address), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() >= 0) {
      server_.Adopt(std::move(fd), AddressText(address));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno == EAGAIN) return;
    LogWarning("connections have to wait: no more files can be opened");
    server_.WatchListener(id_, 0);
    Poller& poller = *server_.pollers_.front();
    poller.SetDeadline(id_, poller.now() + kAcceptWait);
    return;
  }
}

// On the first poller's thread.
void HttpServerImpl::Adopt(UniqueFd fd, std::string peer_address) {
  if (connections_ >= options_.max_connections) {
    LogWarning("connection refused: too many are open", {{"peer", peer_address}});
    return;
  }
  SetSocketOptions(fd.get());
  TlsContext context;
  {
    std::lock_guard lock(context_mutex_);
    context = context_;
  }
  Owned<SSL> ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1) return;
  ++connections_;
  Poller& poller = *pollers_[next_poller_++ % pollers_.size()];
  auto parts = std::make_shared<std::tuple<UniqueFd, Owned<SSL>, std::string>>(
      std::move(fd), std::move(ssl), std::move(peer_address));
  poller.Post([this, &poller, parts] {
    auto& [socket, tls, peer] = *parts;
    int raw = socket.get();
    Poller::Id id = poller.NextId();
    auto connection = std::make_unique<Connection>(*this, poller, id, std::move(socket),
                                                   std::move(tls), std::move(peer));
    poller.Add(id, std::move(connection), raw, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  });
}

void HttpServerImpl::Serve(std::shared_ptr<const Route> route, IncomingRequest incoming,
                           std::shared_ptr<Channel> channel) {
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
  bool accepted = workers_.Submit([route = std::move(route), request, channel] {
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
