// An attempt ends with a reply, an error of its socket, or its deadline. A server that answers
// SERVFAIL or REFUSED is believed only if no other is left to ask. Each server is asked once, a
// single one twice.
#include "servicemesh/edge/dns_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/edge/files.h"

namespace servicemesh {
namespace {

constexpr size_t kMinAttempts = 2;
constexpr size_t kMaxAttempts = 3;

uint16_t RandomId() {
  uint16_t id = 0;
  // Cannot fail for so few bytes once the machine is up.
  [[maybe_unused]] const ssize_t got = getrandom(&id, sizeof(id), 0);
  return id;
}

void SetId(std::string& message, uint16_t id) {
  message[0] = static_cast<char>(id >> 8);
  message[1] = static_cast<char>(id & 0xff);
}

// What stays the same through all attempts at one question.
struct Question {
  base::Poller& poller;
  DnsUpstreams& upstreams;
  std::string message;
  DnsQuestion question;
  bool over_tcp;
  std::function<void(base::Result<DnsUpstreamReply>)> done;
  size_t attempts = 0;
  size_t first = 0;  // server asked first

  void Finish(base::Result<DnsUpstreamReply> reply) {
    --upstreams.in_flight;
    done(std::move(reply));
  }
};

void Attempt(std::shared_ptr<Question> question);

class Exchange final : public base::Poller::Handler {
 public:
  Exchange(std::shared_ptr<Question> question, base::Poller::Id id, base::UniqueFd fd,
           size_t server)
      : question_(std::move(question)), id_(id), fd_(std::move(fd)), server_(server) {
    query_id_ = RandomId();
    out_ = question_->message;
    SetId(out_, query_id_);
    if (!question_->over_tcp) return;
    const size_t size = out_.size();
    out_.insert(0, {static_cast<char>(size >> 8), static_cast<char>(size & 0xff)});
  }

  int fd() const { return fd_.get(); }

  void OnEvents(uint32_t events) override {
    if (ended_) return;
    if ((events & EPOLLOUT) != 0 && !out_.empty()) Write();
    if (!ended_ && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) Read();
  }
  void OnWake() override {}
  void OnDeadline() override { Next(); }

 private:
  void Write() {
    const ssize_t sent = send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) return Soft(errno) ? void() : Next();
    out_.erase(0, static_cast<size_t>(sent));
    if (out_.empty()) question_->poller.Modify(id_, fd_.get(), EPOLLIN);
  }

  void Read() {
    char buffer[kMaxDnsMessage];
    for (;;) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got < 0) return Soft(errno) ? void() : Next();
      const std::string_view bytes(buffer, static_cast<size_t>(got));
      if (!question_->over_tcp) {
        if (Take(bytes)) return;
        continue;
      }
      if (got == 0) return Next();
      in_ += bytes;
      if (in_.size() < 2) continue;
      const size_t size =
          static_cast<size_t>(static_cast<uint8_t>(in_[0])) << 8 | static_cast<uint8_t>(in_[1]);
      if (in_.size() < size + 2) continue;
      if (!Take(std::string_view(in_).substr(2, size))) Next();
      return;
    }
  }

  static bool Soft(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

  // False if this is not the reply.
  bool Take(std::string_view bytes) {
    base::Result<DnsReply> parsed = ParseReply(bytes);
    if (!parsed.ok() || parsed->id != query_id_) return false;
    const DnsQuestion& asked = question_->question;
    const DnsQuestion& told = parsed->question;
    if (LowerName(told.name) != LowerName(asked.name) || told.type != asked.type ||
        told.klass != asked.klass)
      return false;
    const bool helpless =
        parsed->answer.code == DnsCode::kServFail || parsed->answer.code == DnsCode::kRefused;
    if (helpless && question_->upstreams.servers.size() > 1 && !Last()) {
      Next();
      return true;
    }
    question_->upstreams.preferred = server_;
    DnsUpstreamReply reply{std::string(bytes), *std::move(parsed)};
    const uint16_t id = *DnsId(question_->message);
    SetId(reply.message, id);
    reply.parsed.id = id;
    End();
    question_->Finish(std::move(reply));
    return true;
  }

  bool Last() const {
    return question_->attempts >=
           std::clamp(question_->upstreams.servers.size(), kMinAttempts, kMaxAttempts);
  }

  void End() {
    ended_ = true;
    question_->poller.Remove(id_);
  }

  void Next() {
    End();
    if (!Last()) return Attempt(question_);
    question_->Finish(base::Status(base::Code::kUnavailable,
                                   "no upstream DNS server answers; see the nameserver lines of "
                                   "this node's resolv.conf"));
  }

  std::shared_ptr<Question> question_;
  const base::Poller::Id id_;
  base::UniqueFd fd_;
  const size_t server_;
  uint16_t query_id_;
  std::string out_;
  std::string in_;
  bool ended_ = false;
};

void Attempt(std::shared_ptr<Question> question) {
  DnsUpstreams& upstreams = question->upstreams;
  const size_t server = (question->first + question->attempts++) % upstreams.servers.size();
  const DnsUpstream& upstream = upstreams.servers[server];
  const int type = question->over_tcp ? SOCK_STREAM : SOCK_DGRAM;
  base::UniqueFd fd(socket(upstream.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto fail = [&] {
    question->Finish(base::ErrnoStatus("ask an upstream DNS server", errno));
  };
  if (!fd.valid()) return fail();
  // An error of the connection shows when it is used.
  [[maybe_unused]] const int connected =
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&upstream.address), upstream.length);
  base::Poller& poller = question->poller;
  const base::Poller::Id id = poller.NextId();
  auto exchange = std::make_unique<Exchange>(question, id, std::move(fd), server);
  const int raw = exchange->fd();
  if (!poller.Add(id, std::move(exchange), raw, EPOLLIN | EPOLLOUT)) return fail();
  poller.SetDeadline(id, poller.now() + upstreams.timeout);
}

}  // namespace

base::Result<DnsUpstream> DnsUpstream::Parse(const std::string& ip, uint16_t port) {
  DnsUpstream upstream;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&upstream.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&upstream.address);
  if (inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    upstream.length = sizeof(*v4);
  } else if (inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    upstream.length = sizeof(*v6);
  } else {
    return base::Status(base::Code::kInvalid, "\"" + ip + "\" is no address of a DNS server");
  }
  return upstream;
}

void DnsAsk(base::Poller& poller, DnsUpstreams& upstreams, std::string message, bool over_tcp,
            std::function<void(base::Result<DnsUpstreamReply>)> done) {
  if (upstreams.servers.empty())
    return done(base::Status(base::Code::kUnavailable, "there is no upstream DNS server"));
  if (upstreams.in_flight >= kMaxDnsInFlight)
    return done(base::Status(base::Code::kTooManyRequests, "too many DNS questions under way"));
  const base::Result<DnsQuery> query = ParseQuery(message);
  if (!query.ok()) return done(query.status());
  ++upstreams.in_flight;
  auto question = std::make_shared<Question>(
      Question{poller, upstreams, std::move(message), query->question, over_tcp, std::move(done)});
  question->first = upstreams.preferred;
  Attempt(std::move(question));
}

}  // namespace servicemesh
