// A server may be hostile: it can stall at any byte, answer without end, or name an address inside.
// The deadline hangs up from outside the exchange; an answer that is too long is cut; redirects are
// answers like any other.
#include "state/errands/edge/http_caller.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <map>
#include <mutex>
#include <utility>

#include "base/lifeline.h"
#include "base/net/edge/http_client.h"
#include "base/net/edge/worker_pool.h"
#include "state/errands/call_queue.h"

namespace state {

using base::Code;
using base::Result;
using base::Status;

static_assert(kHttpCallerThreads >= static_cast<int>(kMaxCalls), "calls under way do not wait");

namespace {

constexpr base::Duration kHangUpAgain = base::Duration::Seconds(1);

Status CheckAddress(const AddressGuard& guard, const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(address);
    return guard.Check(ntohl(four->sin_addr.s_addr));
  }
  std::array<uint8_t, 16> bytes;
  memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, bytes.size());
  return guard.Check(bytes);
}

// The first address of the host that calls may go to, as text.
Result<std::string> ResolveChecked(const AddressGuard& guard, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return Status(Code::kUnavailable,
                  "the name " + host + " was not found: " + std::string(gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  Status refused(Code::kUnavailable, host + " has no address");
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    const Status checked = CheckAddress(guard, each->ai_addr);
    if (!checked.ok()) {
      refused = checked;
      continue;
    }
    char text[NI_MAXHOST];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      return std::string(text);
    }
  }
  return refused;
}

class SocketCaller final : public HttpCaller {
 public:
  SocketCaller(base::Loop& loop, AddressGuard guard)
      : loop_(loop), guard_(std::move(guard)), pool_(kHttpCallerThreads) {}
  ~SocketCaller() override;

  void Call(HttpCall call, std::function<void(HttpAnswer)> done) override;

 private:
  HttpAnswer Exchange(const HttpCall& call, uint64_t id);
  void HangUpAfter(base::Duration limit, uint64_t id);

  base::Loop& loop_;
  const AddressGuard guard_;
  uint64_t last_id_ = 0;
  base::Lifeline lifeline_;
  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<base::HttpClient>> running_;  // guarded by mutex_
  bool stopping_ = false;                                          // likewise
  base::WorkerPool pool_;
};

SocketCaller::~SocketCaller() {
  lifeline_.Cut();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [id, client] : running_) client->HangUp();
  }
  pool_.Stop();
}

void SocketCaller::Call(HttpCall call, std::function<void(HttpAnswer)> done) {
  const uint64_t id = ++last_id_;
  const auto finish = [this, done = std::move(done), tie = lifeline_.tie()](HttpAnswer answer) {
    loop_.Post(tie.Wrap([done, answer = std::move(answer)] { done(answer); }));
  };
  const bool taken =
      pool_.Submit([this, call = std::move(call), id, finish] { finish(Exchange(call, id)); });
  if (!taken) finish({.status = Status(Code::kUnavailable, "too many calls are on their way")});
}

// Loop only. Again and again while it runs: a connection may just be coming about.
void SocketCaller::HangUpAfter(base::Duration limit, uint64_t id) {
  loop_.After(limit, lifeline_.Wrap([this, id] {
    {
      const std::lock_guard lock(mutex_);
      const auto found = running_.find(id);
      if (found == running_.end()) return;
      found->second->HangUp();
    }
    HangUpAfter(kHangUpAgain, id);
  }));
}

HttpAnswer SocketCaller::Exchange(const HttpCall& call, uint64_t id) {
  base::HttpClientOptions options;
  options.ca_pem = call.ca_pem;
  options.connect_timeout = std::min(kMaxConnectTime, call.time_limit);
  options.read_timeout = call.time_limit;
  options.max_response_bytes = kMaxHttpAnswerBytes;
  options.cut = true;
  options.resolve = [this](const std::string& host) { return ResolveChecked(guard_, host); };
  const auto client = std::make_shared<base::HttpClient>(std::move(options));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return {.status = Status(Code::kCancelled, "plumb is shutting down")};
    running_[id] = client;
  }
  loop_.Post(lifeline_.Wrap([this, id, limit = call.time_limit] { HangUpAfter(limit, id); }));
  Result<base::HttpAnswer> answer = client->Do({.method = call.method,
                                                .url = call.url,
                                                .headers = call.headers,
                                                .body = call.body,
                                                .on_data = nullptr});
  {
    const std::lock_guard lock(mutex_);
    running_.erase(id);
  }
  if (!answer.ok()) return {.status = answer.status()};
  return {.code = answer->status,
          .headers = std::move(answer->headers),
          .body = std::move(answer->body)};
}

}  // namespace

std::unique_ptr<HttpCaller> NewHttpCaller(base::Loop& loop, AddressGuard guard) {
  return std::make_unique<SocketCaller>(loop, std::move(guard));
}

}  // namespace state
