// Each datagram or length-prefixed message is a query. What can be answered from the view is
// answered at once; the rest goes upstream as it came, over the transport it came by, and its reply
// goes back as it came. An alias that leads out of the cluster is asked for upstream and joined to
// the answer, as resolvers in containers do not follow it themselves. Who is no client hears
// nothing: an answer to a forged address would be somebody else's flood.
#include "servicemesh/edge/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "base/edge/files.h"
#include "base/edge/poller.h"
#include "servicemesh/edge/dns_exchange.h"
#include "servicemesh/edge/netns.h"

namespace servicemesh {
namespace {

constexpr int kDatagramsPerTurn = 64;
constexpr int kAcceptsPerTurn = 16;
constexpr base::Duration kAcceptWait = base::Duration::Millis(100);  // when files run out
constexpr int kBacklog = 128;
constexpr size_t kMaxTcpOutput = 256u << 10;     // unsent bytes beyond which nothing more is read
constexpr auto kZoneTransferTypes = {251, 252};  // IXFR, AXFR

using Reply = std::function<void(const std::string&)>;

DnsAnswer Failure(DnsCode code) {
  DnsAnswer answer;
  answer.code = code;
  return answer;
}

sockaddr_in AddressFor(Ipv4 ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip.bits);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

Ipv4 AddressOf(const sockaddr_in& address) { return Ipv4{ntohl(address.sin_addr.s_addr)}; }

struct DnsServer::Core {
  class Datagrams;
  class Acceptor;
  class Connection;

  base::Status Listen(const DnsServerOptions& options);
  bool IsClient(Ipv4 from) const;
  bool HasRoomFor(Ipv4 client) const;
  void Handle(std::string_view message, bool tcp, Reply reply);
  void Resolve(const std::string& message, const DnsQuery& query, bool tcp, const Reply& reply);
  void AskUpstream(const std::string& message, const DnsQuery& query, bool tcp, Reply reply);
  void FollowAlias(const DnsQuery& query, DnsResolution resolution, bool tcp, Reply reply);
  void Send(const DnsQuery& query, const DnsAnswer& answer, bool tcp, const Reply& reply);
  std::shared_ptr<const DnsView> View() {
    std::lock_guard lock(view_mutex);
    return view;
  }

  std::mutex view_mutex;  // held for a copy of the pointer only
  std::shared_ptr<const DnsView> view;
  std::atomic<uint64_t> queries{0};
  std::atomic<uint64_t> failures{0};
  uint16_t port = 0;
  std::vector<base::Cidr> clients;

  // The rest belongs to the poller's thread.
  DnsUpstreams upstreams;
  uint32_t turn = 0;
  std::map<base::Poller::Id, Connection*> connections;
  base::Poller poller;  // last: its handlers use all of the above
};

class DnsServer::Core::Datagrams final : public base::Poller::Handler {
 public:
  Datagrams(Core& core, base::UniqueFd fd) : core_(core), fd_(std::move(fd)) {}

  void OnEvents(uint32_t) override {
    char buffer[kMaxDnsMessage];
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
      sockaddr_in from{};
      socklen_t length = sizeof(from);
      const ssize_t got = recvfrom(fd_.get(), buffer, sizeof(buffer), 0,
                                   reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0) return;
      if (!core_.IsClient(AddressOf(from))) continue;
      // The server outlives all that is under way: handlers go together, without a reply.
      core_.Handle(std::string_view(buffer, static_cast<size_t>(got)), /*tcp=*/false,
                   [fd = fd_.get(), from](const std::string& reply) {
                     sendto(fd, reply.data(), reply.size(), MSG_DONTWAIT,
                            reinterpret_cast<const sockaddr*>(&from), sizeof(from));
                   });
    }
  }
  void OnWake() override {}
  void OnDeadline() override {}

 private:
  Core& core_;
  base::UniqueFd fd_;
};

class DnsServer::Core::Connection final : public base::Poller::Handler {
 public:
  Connection(Core& core, base::Poller::Id id, base::UniqueFd fd, Ipv4 client)
      : core_(core), id_(id), fd_(std::move(fd)), client_(client) {
    core_.connections[id_] = this;
  }
  ~Connection() override { core_.connections.erase(id_); }

  int fd() const { return fd_.get(); }
  Ipv4 client() const { return client_; }

  void OnEvents(uint32_t events) override {
    if (closed_) return;
    if ((events & EPOLLOUT) != 0) Flush();
    if (!closed_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Read();
    Watch();
  }
  void OnWake() override {}
  void OnDeadline() override { Close(); }

  void Answer(const std::string& reply) {
    --pending_;
    if (closed_) return;
    Touch();
    out_ += static_cast<char>(reply.size() >> 8);
    out_ += static_cast<char>(reply.size() & 0xff);
    out_ += reply;
    Flush();
    // Questions that came while there were too many under way wait in in_.
    if (!closed_ && !handling_) TakeMessages();
    Watch();
  }

  // Starts the time that it may be idle anew: a whole question or answer went by.
  void Touch() { core_.poller.SetDeadline(id_, core_.poller.now() + kDnsTcpIdle); }

  void Watch() {
    if (closed_) return;
    const bool read = pending_ < kMaxDnsTcpPending && out_.size() < kMaxTcpOutput;
    core_.poller.Modify(id_, fd_.get(), (read ? EPOLLIN : 0u) | (out_.empty() ? 0u : EPOLLOUT));
  }

 private:
  void Read() {
    char buffer[4096];
    const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return Close();
    in_.append(buffer, static_cast<size_t>(got));
    TakeMessages();
  }

  void TakeMessages() {
    handling_ = true;
    while (!closed_ && in_.size() >= 2 && pending_ < kMaxDnsTcpPending) {
      const size_t size =
          static_cast<size_t>(static_cast<uint8_t>(in_[0])) << 8 | static_cast<uint8_t>(in_[1]);
      if (in_.size() < size + 2) break;
      const std::string message = in_.substr(2, size);
      in_.erase(0, size + 2);
      if (!DnsId(message)) {
        Close();
        break;
      }
      ++pending_;
      Touch();
      core_.Handle(message, /*tcp=*/true, [&core = core_, id = id_](const std::string& reply) {
        const auto it = core.connections.find(id);
        if (it != core.connections.end()) it->second->Answer(reply);
      });
    }
    handling_ = false;
  }

  void Flush() {
    while (!out_.empty()) {
      const ssize_t sent = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return;
      if (sent <= 0) return Close();
      out_.erase(0, static_cast<size_t>(sent));
    }
  }

  void Close() {
    closed_ = true;
    core_.poller.Remove(id_);
  }

  Core& core_;
  const base::Poller::Id id_;
  base::UniqueFd fd_;
  const Ipv4 client_;
  std::string in_;
  std::string out_;
  size_t pending_ = 0;
  bool handling_ = false;
  bool closed_ = false;
};

class DnsServer::Core::Acceptor final : public base::Poller::Handler {
 public:
  Acceptor(Core& core, base::Poller::Id id, base::UniqueFd fd)
      : core_(core), id_(id), fd_(std::move(fd)) {}

  void OnEvents(uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      sockaddr_in from{};
      socklen_t length = sizeof(from);
      base::UniqueFd fd(accept4(fd_.get(), reinterpret_cast<sockaddr*>(&from), &length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return WaitIfShort(errno);
      const Ipv4 client = AddressOf(from);
      if (!core_.IsClient(client) || !core_.HasRoomFor(client)) continue;
      const base::Poller::Id id = core_.poller.NextId();
      auto connection = std::make_unique<Connection>(core_, id, std::move(fd), client);
      Connection* raw = connection.get();
      if (core_.poller.Add(id, std::move(connection), raw->fd(), EPOLLIN)) raw->Touch();
    }
  }
  void OnWake() override {}
  void OnDeadline() override { core_.poller.Modify(id_, fd_.get(), EPOLLIN); }

 private:
  // A connection that cannot be taken stays ready: asking again at once would spin.
  void WaitIfShort(int error) {
    if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM) return;
    core_.poller.Modify(id_, fd_.get(), 0);
    core_.poller.SetDeadline(id_, core_.poller.now() + kAcceptWait);
  }

  Core& core_;
  const base::Poller::Id id_;
  base::UniqueFd fd_;
};

base::Status DnsServer::Core::Listen(const DnsServerOptions& options) {
  const auto scope = ScopedNetns::Enter(options.network_namespace);
  RETURN_IF_ERROR(scope.status());
  port = options.port;
  clients = options.clients;
  for (const Ipv4 ip : options.listen) {
    // TCP first: the port that it is given is then asked for with UDP too.
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      base::UniqueFd fd(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const int one = 1;
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
      setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
      sockaddr_in address = AddressFor(ip, port);
      socklen_t length = sizeof(address);
      if (!fd.valid() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
          (type == SOCK_STREAM && listen(fd.get(), kBacklog) != 0) ||
          getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
        return base::ErrnoStatus("DNS: listen on " + ip.ToString() + ":" + std::to_string(port) +
                                     " (stop what else answers DNS there)",
                                 errno);
      port = ntohs(address.sin_port);
      const int raw = fd.get();
      const base::Poller::Id id = poller.NextId();
      std::unique_ptr<base::Poller::Handler> handler;
      if (type == SOCK_STREAM)
        handler = std::make_unique<Acceptor>(*this, id, std::move(fd));
      else
        handler = std::make_unique<Datagrams>(*this, std::move(fd));
      auto shared = std::make_shared<std::unique_ptr<base::Poller::Handler>>(std::move(handler));
      poller.Post([this, id, raw, shared] { poller.Add(id, std::move(*shared), raw, EPOLLIN); });
    }
  }
  return {};
}

bool DnsServer::Core::IsClient(Ipv4 from) const {
  return clients.empty() ||
         std::any_of(clients.begin(), clients.end(),
                     [from](const base::Cidr& range) { return Contains(range, from); });
}

bool DnsServer::Core::HasRoomFor(Ipv4 client) const {
  if (connections.size() >= kMaxDnsTcpConnections) return false;
  const auto of_client = [client](const auto& each) { return each.second->client() == client; };
  return std::count_if(connections.begin(), connections.end(), of_client) <
         static_cast<ptrdiff_t>(kMaxDnsTcpPerClient);
}

void DnsServer::Core::Send(const DnsQuery& query, const DnsAnswer& answer, bool tcp,
                           const Reply& reply) {
  if (answer.code == DnsCode::kServFail) ++failures;
  const size_t most = tcp ? kMaxDnsMessage : std::min(query.udp_size, kEdnsUdpSize);
  reply(BuildResponse(query, answer, most));
}

void DnsServer::Core::Handle(std::string_view message, bool tcp, Reply reply) {
  const std::optional<uint16_t> id = DnsId(message);
  if (!id) return;
  ++queries;
  const base::Result<DnsQuery> query = ParseQuery(message);
  if (!query.ok()) return reply(BuildFormatError(*id));
  const auto refuse = [&](DnsCode code) { Send(*query, Failure(code), tcp, reply); };
  if (query->opcode != 0) return refuse(DnsCode::kNotImp);
  if (query->edns_version != 0) return refuse(DnsCode::kBadVers);
  const int type = static_cast<int>(query->question.type);
  if (std::find(kZoneTransferTypes.begin(), kZoneTransferTypes.end(), type) !=
      kZoneTransferTypes.end())
    return refuse(DnsCode::kRefused);
  Resolve(std::string(message), *query, tcp, reply);
}

void DnsServer::Core::Resolve(const std::string& message, const DnsQuery& query, bool tcp,
                              const Reply& reply) {
  const std::shared_ptr<const DnsView> now = View();
  if (now == nullptr) return Send(query, Failure(DnsCode::kServFail), tcp, reply);
  DnsResolution resolution = servicemesh::Resolve(*now, query.question, turn++);
  if (!resolution.ours) {
    if (!query.recursion_desired) return Send(query, Failure(DnsCode::kRefused), tcp, reply);
    return AskUpstream(message, query, tcp, reply);
  }
  if (resolution.elsewhere.empty()) return Send(query, resolution.answer, tcp, reply);
  FollowAlias(query, std::move(resolution), tcp, reply);
}

void DnsServer::Core::AskUpstream(const std::string& message, const DnsQuery& query, bool tcp,
                                  Reply reply) {
  DnsAsk(poller, upstreams, message, tcp,
         [this, query, tcp, reply = std::move(reply)](base::Result<DnsUpstreamReply> result) {
           if (!result.ok()) return Send(query, Failure(DnsCode::kServFail), tcp, reply);
           if (tcp || result->message.size() <= query.udp_size) return reply(result->message);
           DnsAnswer more;
           more.truncated = true;
           Send(query, more, tcp, reply);
         });
}

void DnsServer::Core::FollowAlias(const DnsQuery& query, DnsResolution resolution, bool tcp,
                                  Reply reply) {
  const DnsQuestion question{resolution.elsewhere, query.question.type, query.question.klass};
  DnsAsk(poller, upstreams, BuildQuery(query.id, question), tcp,
         [this, query, tcp, answer = std::move(resolution.answer),
          reply = std::move(reply)](base::Result<DnsUpstreamReply> result) mutable {
           if (!result.ok()) return Send(query, Failure(DnsCode::kServFail), tcp, reply);
           const DnsAnswer& found = result->parsed.answer;
           answer.code = found.code;
           answer.authoritative = false;
           answer.truncated = found.truncated;
           // Of other types the data may hold compressed names of the other message.
           for (const DnsRecord& record : found.answers) {
             if (record.type == DnsType::kA || record.type == DnsType::kAaaa ||
                 record.type == DnsType::kCname)
               answer.answers.push_back(record);
           }
           Send(query, answer, tcp, reply);
         });
}

DnsServer::DnsServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

DnsServer::~DnsServer() { core_->poller.Stop(); }

base::Result<std::unique_ptr<DnsServer>> DnsServer::Start(const DnsServerOptions& options) {
  auto core = std::make_unique<Core>();
  core->upstreams.timeout = options.upstream_timeout;
  for (const std::string& ip : options.upstreams) {
    const auto parsed = Ipv4::Parse(ip);
    const bool itself =
        parsed && options.port == options.upstream_port &&
        std::find(options.listen.begin(), options.listen.end(), *parsed) != options.listen.end();
    if (itself || core->upstreams.servers.size() == kMaxUpstreams) continue;
    ASSIGN_OR_RETURN(DnsUpstream upstream, DnsUpstream::Parse(ip, options.upstream_port));
    core->upstreams.servers.push_back(upstream);
  }
  RETURN_IF_ERROR(core->Listen(options));
  // The thread lives in the namespace, so that the sockets it opens upstream are there too.
  {
    const auto scope = ScopedNetns::Enter(options.network_namespace);
    RETURN_IF_ERROR(scope.status());
    RETURN_IF_ERROR(core->poller.Start());
  }
  return std::unique_ptr<DnsServer>(new DnsServer(std::move(core)));
}

void DnsServer::Publish(std::shared_ptr<const DnsView> view) {
  std::lock_guard lock(core_->view_mutex);
  core_->view.swap(view);
}

uint16_t DnsServer::port() const { return core_->port; }
uint64_t DnsServer::queries() const { return core_->queries; }
uint64_t DnsServer::failures() const { return core_->failures; }

}  // namespace servicemesh
