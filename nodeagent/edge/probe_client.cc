// Rules: a conversation is connect, over TLS shake hands, send, read the first line; each step is
// taken when its socket is ready, until it is done or its deadline has passed. Certificates are not
// verified (Kubernetes documentation, "HTTP probes"). The rest of an answer is not read.
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
#include <charconv>
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

namespace nodeagent {
namespace {

using Clock = std::chrono::steady_clock;
using base::Code;
using base::Status;

// A header's text without what would end its line.
std::string OneLine(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  return text;
}

std::string RequestOf(const Check& check) {
  std::string host = check.host + ":" + std::to_string(check.port);
  std::string headers;
  for (const auto& [name, value] : check.headers) {
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower == "host") {
      host = value;
    } else {
      headers += OneLine(name) + ": " + OneLine(value) + "\r\n";
    }
  }
  return "GET " + OneLine(check.path) + " HTTP/1.1\r\nHost: " + OneLine(host) +
         "\r\nUser-Agent: plumb-probe\r\nAccept: */*\r\nConnection: close\r\n" + headers + "\r\n";
}

// The verdict of an answer's first line; nothing while it is not whole.
std::optional<Status> VerdictOf(const std::string& answer) {
  const size_t end = answer.find('\n');
  if (end == answer.npos && answer.size() < kMaxProbeAnswer) return std::nullopt;
  int code = 0;
  const size_t space = answer.find(' ');
  if (answer.starts_with("HTTP/1.") && space < end) {
    std::from_chars(answer.data() + space + 1, answer.data() + answer.size(), code);
  }
  if (code >= 200 && code < 400) return Status();
  if (code == 0) return Status(Code::kInternal, "the answer is not HTTP");
  return Status(Code::kInternal, "HTTP status " + std::to_string(code));
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class Conversation {
 public:
  Conversation(Check check, base::Duration timeout, std::function<void(Status)> done)
      : check_(std::move(check)),
        deadline_(Clock::now() + std::chrono::nanoseconds(timeout.nanos())),
        timeout_(timeout),
        done_(std::move(done)) {}

  int fd() const { return socket_.get(); }
  short events() const { return events_; }
  Clock::time_point deadline() const { return deadline_; }
  const std::function<void(Status)>& done() const { return done_; }

  std::optional<Status> Begin(SSL_CTX* tls);
  // The socket is ready, or the deadline may have passed.
  std::optional<Status> Step();

 private:
  enum class Phase { kConnect, kHandshake, kSend, kReceive };

  std::optional<Status> Connected();
  std::optional<Status> Handshake();
  std::optional<Status> Send();
  std::optional<Status> Receive();
  Status Failure(const char* what, int error) const {
    return Status(Code::kUnavailable, std::string(what) + " " + check_.host + ":" +
                                          std::to_string(check_.port) + ": " +
                                          std::generic_category().message(error));
  }
  // Waits for what TLS asks for; false if it failed. TLS tells a wait from a failure by the
  // thread's queue of errors, which another conversation may have filled: Step empties it first.
  bool WaitsForTls(int result);

  const Check check_;
  const Clock::time_point deadline_;
  const base::Duration timeout_;
  const std::function<void(Status)> done_;
  base::UniqueFd socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  Phase phase_ = Phase::kConnect;
  short events_ = POLLOUT;
  std::string out_, in_;
};

std::optional<Status> Conversation::Begin(SSL_CTX* tls) {
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
  if (tls != nullptr && check_.tls) {
    ssl_.reset(SSL_new(tls));
    SSL_set_fd(ssl_.get(), socket_.get());
  }
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t length = is_v4 ? sizeof v4 : sizeof v6;
  if (connect(socket_.get(), address, length) == 0) return Connected();
  if (errno == EINPROGRESS) return std::nullopt;
  return Failure("cannot connect to", errno);
}

std::optional<Status> Conversation::Step() {
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

std::optional<Status> Conversation::Connected() {
  if (check_.kind == Check::Kind::kTcp) return Status();
  out_ = RequestOf(check_);
  phase_ = ssl_ ? Phase::kHandshake : Phase::kSend;
  return ssl_ ? Handshake() : Send();
}

bool Conversation::WaitsForTls(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  events_ = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

std::optional<Status> Conversation::Handshake() {
  const int result = SSL_connect(ssl_.get());
  if (result == 1) {
    phase_ = Phase::kSend;
    return Send();
  }
  if (WaitsForTls(result)) return std::nullopt;
  return Status(Code::kUnavailable, "the TLS handshake failed");
}

std::optional<Status> Conversation::Send() {
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

std::optional<Status> Conversation::Receive() {
  char block[2048];
  while (true) {
    const ssize_t got = ssl_ ? SSL_read(ssl_.get(), block, sizeof block)
                             : recv(socket_.get(), block, sizeof block, 0);
    if (got > 0) {
      in_.append(block, static_cast<size_t>(got));
      if (auto verdict = VerdictOf(in_)) return verdict;
      continue;
    }
    if (ssl_ && WaitsForTls(static_cast<int>(got))) return std::nullopt;
    if (!ssl_ && got < 0 && errno == EAGAIN) {
      events_ = POLLIN;
      return std::nullopt;
    }
    if (!ssl_ && got < 0) return Failure("cannot read from", errno);
    return Status(Code::kUnavailable, "the connection was closed without an answer");
  }
}

class SocketProbeClient final : public ProbeClient {
 public:
  explicit SocketProbeClient(base::Loop& loop)
      : loop_(loop),
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

  void Ask(const Check& check, base::Duration timeout, std::function<void(Status)> done) override {
    if (under_way_ >= kMaxProbesUnderWay) {
      loop_.Post(lifeline_.Wrap([done = std::move(done)] {
        done(Status(Code::kTooManyRequests, "too many probes are under way on this node"));
      }));
      return;
    }
    ++under_way_;
    {
      const std::lock_guard lock(mutex_);
      incoming_.emplace_back(check, timeout,
                             lifeline_.Wrap([this, done = std::move(done)](Status status) {
                               --under_way_;
                               done(std::move(status));
                             }));
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
      Advance(talk, talk->Begin(tls_.get()));
    }
    return true;
  }

  std::list<Conversation>::iterator Advance(std::list<Conversation>::iterator talk,
                                            std::optional<Status> end) {
    if (!end) return std::next(talk);
    loop_.Post([done = talk->done(), status = *end] { done(status); });
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
