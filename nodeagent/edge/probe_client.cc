// Rules: a conversation is connect, over TLS shake hands, send, read the status; each step is taken
// when its socket is ready, until it is done or its deadline has passed. Where a redirect leads to
// the same host, it begins anew there, within the same deadline; to another, that is all there is
// to learn, and a warning (probe_http). Certificates are not verified (Kubernetes documentation,
// "HTTP probes"). The rest of an answer is not read. gRPC is a library's (grpc_probe).
#include "nodeagent/edge/probe_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/edge/files.h"
#include "base/lifeline.h"
#include "nodeagent/edge/grpc_probe.h"
#include "nodeagent/edge/probe_http.h"

namespace nodeagent {
namespace {

using Clock = std::chrono::steady_clock;
using base::Code;
using base::Status;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class Conversation {
 public:
  Conversation(Check check, base::Duration timeout, SSL_CTX* tls,
               std::function<void(CheckAnswer)> done)
      : check_(std::move(check)),
        tls_(tls),
        deadline_(Clock::now() + std::chrono::nanoseconds(timeout.nanos())),
        timeout_(timeout),
        done_(std::move(done)) {}

  int fd() const { return socket_.get(); }
  short events() const { return events_; }
  Clock::time_point deadline() const { return deadline_; }
  const std::function<void(CheckAnswer)>& done() const { return done_; }

  std::optional<CheckAnswer> Begin();
  // The socket is ready, or the deadline may have passed.
  std::optional<CheckAnswer> Step();

 private:
  enum class Phase { kConnect, kHandshake, kSend, kReceive };

  std::optional<CheckAnswer> Connected();
  std::optional<CheckAnswer> Handshake();
  std::optional<CheckAnswer> Send();
  std::optional<CheckAnswer> Receive();
  std::optional<CheckAnswer> Answered(bool ended);
  Status Failure(const char* what, int error) const {
    return Status(Code::kUnavailable, std::string(what) + " " + check_.host + ":" +
                                          std::to_string(check_.port) + ": " +
                                          std::generic_category().message(error));
  }
  // Waits for what TLS asks for; false if it failed. TLS tells a wait from a failure by the
  // thread's queue of errors, which another conversation may have filled: Step empties it first.
  bool WaitsForTls(int result);

  Check check_;  // as it was asked, or where a redirect led to
  SSL_CTX* const tls_;
  const Clock::time_point deadline_;
  const base::Duration timeout_;
  const std::function<void(CheckAnswer)> done_;
  int redirects_ = 0;
  base::UniqueFd socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  Phase phase_ = Phase::kConnect;
  short events_ = POLLOUT;
  std::string out_, in_;
};

std::optional<CheckAnswer> Conversation::Begin() {
  phase_ = Phase::kConnect;
  events_ = POLLOUT;
  in_.clear();
  ssl_.reset();
  sockaddr_in v4 = {};
  sockaddr_in6 v6 = {};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(check_.port);
  const bool is_v4 = inet_pton(AF_INET, check_.host.c_str(), &v4.sin_addr) == 1;
  const bool is_v6 = !is_v4 && inet_pton(AF_INET6, check_.host.c_str(), &v6.sin6_addr) == 1;
  if (check_.port == 0 || (!is_v4 && !is_v6)) {
    return Status(Code::kInvalid, "the probe names no address and port: \"" + check_.host + ":" +
                                      std::to_string(check_.port) + "\"");
  }
  socket_.Reset(socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) return Failure("cannot open a socket to", errno);
  if (tls_ != nullptr && check_.tls) {
    ssl_.reset(SSL_new(tls_));
    SSL_set_fd(ssl_.get(), socket_.get());
  }
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t length = is_v4 ? sizeof v4 : sizeof v6;
  if (connect(socket_.get(), address, length) == 0) return Connected();
  if (errno == EINPROGRESS) return std::nullopt;
  return Failure("cannot connect to", errno);
}

std::optional<CheckAnswer> Conversation::Step() {
  if (Clock::now() >= deadline_) {
    return Status(Code::kTimeout, "no answer from " + check_.host + ":" +
                                      std::to_string(check_.port) + " within " +
                                      timeout_.ToString());
  }
  ERR_clear_error();
  switch (phase_) {
    case Phase::kConnect: {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) return Failure("cannot connect to", error);
      return Connected();
    }
    case Phase::kHandshake: return Handshake();
    case Phase::kSend: return Send();
    case Phase::kReceive: return Receive();
  }
  return std::nullopt;
}

std::optional<CheckAnswer> Conversation::Connected() {
  if (check_.kind == Check::Kind::kTcp) return Status();
  out_ = ProbeRequest(check_);
  phase_ = ssl_ ? Phase::kHandshake : Phase::kSend;
  return ssl_ ? Handshake() : Send();
}

bool Conversation::WaitsForTls(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  events_ = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

std::optional<CheckAnswer> Conversation::Handshake() {
  const int result = SSL_connect(ssl_.get());
  if (result == 1) {
    phase_ = Phase::kSend;
    return Send();
  }
  if (WaitsForTls(result)) return std::nullopt;
  return Status(Code::kUnavailable, "the TLS handshake failed");
}

std::optional<CheckAnswer> Conversation::Send() {
  while (!out_.empty()) {
    const int size = static_cast<int>(out_.size());
    const ssize_t sent = ssl_ ? SSL_write(ssl_.get(), out_.data(), size)
                              : send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      out_.erase(0, static_cast<size_t>(sent));
      continue;
    }
    if (ssl_ && WaitsForTls(static_cast<int>(sent))) return std::nullopt;
    if (!ssl_ && errno == EAGAIN) {
      events_ = POLLOUT;
      return std::nullopt;
    }
    return Failure("cannot send to", ssl_ ? EPIPE : errno);
  }
  phase_ = Phase::kReceive;
  events_ = POLLIN;
  return Receive();
}

std::optional<CheckAnswer> Conversation::Receive() {
  char block[2048];
  while (true) {
    const ssize_t got = ssl_ ? SSL_read(ssl_.get(), block, sizeof block)
                             : recv(socket_.get(), block, sizeof block, 0);
    if (got > 0) {
      in_.append(block, static_cast<size_t>(got));
      if (ReadProbeAnswer(in_, false)) return Answered(false);
      continue;
    }
    if (ssl_ && WaitsForTls(static_cast<int>(got))) return std::nullopt;
    if (!ssl_ && got < 0 && errno == EAGAIN) {
      events_ = POLLIN;
      return std::nullopt;
    }
    if (!ssl_ && got < 0) return Failure("cannot read from", errno);
    return Answered(true);
  }
}

std::optional<CheckAnswer> Conversation::Answered(bool ended) {
  if (in_.find('\n') == in_.npos && ended) {
    return Status(Code::kUnavailable, "the connection was closed without an answer");
  }
  const ProbeAnswer answer = *ReadProbeAnswer(in_, ended);
  if (answer.status == 0) return Status(Code::kInternal, "the answer is not HTTP");
  if (answer.location.empty()) {
    if (answer.status >= 200 && answer.status < 400) return Status();
    return Status(Code::kInternal, "HTTP status " + std::to_string(answer.status));
  }
  std::optional<Check> next = FollowRedirect(check_, answer.location);
  if (!next) {
    CheckAnswer passed = Status();
    passed.warning = "it is sent on to another host, which is not asked: " + answer.location;
    return passed;
  }
  if (next->port == 0) {
    return Status(Code::kInternal, "it is sent on to what is no place: " + answer.location);
  }
  if (++redirects_ > kMaxProbeRedirects) {
    return Status(Code::kInternal,
                  "it is sent on more than " + std::to_string(kMaxProbeRedirects) + " times");
  }
  check_ = *std::move(next);
  return Begin();
}

class SocketProbeClient final : public ProbeClient {
 public:
  explicit SocketProbeClient(base::Loop& loop)
      : loop_(loop),
        grpc_(loop),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        tls_(SSL_CTX_new(TLS_client_method())) {
    CHECK(wake_.valid());
    if (tls_) SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_NONE, nullptr);
    thread_ = std::thread([this] { Run(); });
  }

  ~SocketProbeClient() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    Wake();
    thread_.join();
  }

  void Ask(const Check& check, base::Duration timeout,
           std::function<void(CheckAnswer)> done) override {
    if (under_way_ >= kMaxProbesUnderWay) {
      loop_.Post(lifeline_.Wrap([done = std::move(done)] {
        done(Status(Code::kTooManyRequests, "too many probes are under way on this node"));
      }));
      return;
    }
    ++under_way_;
    auto answered = lifeline_.Wrap([this, done = std::move(done)](CheckAnswer answer) {
      --under_way_;
      done(std::move(answer));
    });
    if (check.kind == Check::Kind::kGrpc) return grpc_.Ask(check, timeout, std::move(answered));
    {
      const std::lock_guard lock(mutex_);
      incoming_.emplace_back(check, timeout, tls_.get(), std::move(answered));
    }
    Wake();
  }

 private:
  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
  }

  // The thread.
  void Run() {
    while (TakeIncoming()) {
      std::vector<pollfd> ready;
      ready.push_back({wake_.get(), POLLIN, 0});
      for (const Conversation& talk : talks_) ready.push_back({talk.fd(), talk.events(), 0});
      poll(ready.data(), ready.size(), WaitMillis());
      uint64_t drained;
      [[maybe_unused]] const ssize_t got = read(wake_.get(), &drained, sizeof drained);
      size_t i = 1;
      for (auto talk = talks_.begin(); talk != talks_.end(); ++i) {
        const bool due = ready[i].revents != 0 || Clock::now() >= talk->deadline();
        talk = due ? Advance(talk, talk->Step()) : std::next(talk);
      }
    }
  }

  bool TakeIncoming() {
    std::list<Conversation> fresh;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return false;
      fresh.swap(incoming_);
    }
    while (!fresh.empty()) {
      talks_.splice(talks_.end(), fresh, fresh.begin());
      const auto talk = std::prev(talks_.end());
      Advance(talk, talk->Begin());
    }
    return true;
  }

  std::list<Conversation>::iterator Advance(std::list<Conversation>::iterator talk,
                                            std::optional<CheckAnswer> end) {
    if (!end) return std::next(talk);
    loop_.Post([done = talk->done(), answer = *end] { done(answer); });
    return talks_.erase(talk);
  }

  int WaitMillis() const {
    if (talks_.empty()) return -1;
    auto first = Clock::time_point::max();
    for (const Conversation& talk : talks_) first = std::min(first, talk.deadline());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(first - Clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count() + 1, 0, 60'000));
  }

  base::Loop& loop_;
  GrpcProbes grpc_;
  const base::UniqueFd wake_;
  const std::unique_ptr<SSL_CTX, FreeSsl> tls_;
  size_t under_way_ = 0;           // the loop's
  std::list<Conversation> talks_;  // the thread's
  std::mutex mutex_;
  std::list<Conversation> incoming_;
  bool stop_ = false;
  base::Lifeline lifeline_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<ProbeClient> NewProbeClient(base::Loop& loop) {
  return std::make_unique<SocketProbeClient>(loop);
}

}  // namespace nodeagent
