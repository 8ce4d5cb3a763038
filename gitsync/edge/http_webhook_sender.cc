// A receiver may be hostile: it can stall at any byte, answer without end, or name an address
// inside. The deadline hangs up from outside the exchange; an answer that is too long counts by
// its status, since its body means nothing to us; redirects are answers like any other.
#include "gitsync/edge/http_webhook_sender.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <map>
#include <mutex>
#include <utility>

#include "base/base64.h"
#include "base/lifeline.h"
#include "base/net/edge/http_client.h"
#include "base/net/edge/pki.h"
#include "base/net/edge/worker_pool.h"
#include "gitsync/edge/webhook_signature.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr base::Duration kConnectLimit = base::Duration::Seconds(5);
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

// The first address of the host that webhooks may go to, as text.
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

Result<base::HttpCall> Request(const WebhookCall& call) {
  ASSIGN_OR_RETURN(const std::string secret, base::Base64Decode(call.secret));
  ASSIGN_OR_RETURN(const std::string key, ParseSigningSecret(secret));
  base::HttpCall request;
  request.method = "POST";
  request.url = call.url;
  request.body = call.body;
  request.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                     {"User-Agent", "plumb"},
                     {"webhook-id", call.id},
                     {"webhook-timestamp", std::to_string(call.timestamp.seconds())},
                     {"webhook-signature", SignWebhook(key, call.id, call.timestamp, call.body)}};
  return request;
}

}  // namespace

struct HttpWebhookSender::Impl {
  Impl(base::Loop& the_loop, AddressGuard the_guard)
      : loop(the_loop), guard(std::move(the_guard)), pool(kWebhookThreads) {}

  WebhookAnswer Run(const WebhookCall& call, uint64_t id);
  // Loop only. Again and again while it runs: a connection may just be coming about.
  void HangUpAfter(base::Duration limit, uint64_t id) {
    loop.After(limit, lifeline.Wrap([this, id] {
      {
        const std::lock_guard lock(mutex);
        const auto found = running.find(id);
        if (found == running.end()) return;
        found->second->HangUp();
      }
      HangUpAfter(kHangUpAgain, id);
    }));
  }

  base::Loop& loop;
  const AddressGuard guard;
  uint64_t last_id = 0;
  base::Lifeline lifeline;
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<base::HttpClient>> running;  // guarded by mutex
  bool stopping = false;                                          // likewise
  base::WorkerPool pool;
};

WebhookAnswer HttpWebhookSender::Impl::Run(const WebhookCall& call, uint64_t id) {
  base::HttpClientOptions options;
  options.connect_timeout = std::min(kConnectLimit, call.time_limit);
  options.read_timeout = call.time_limit;
  options.max_response_bytes = kMaxWebhookAnswerBytes;
  options.resolve = [this](const std::string& host) { return ResolveChecked(guard, host); };
  WebhookAnswer answer;
  Result<base::HttpCall> request = Request(call);
  if (!request.ok()) return {request.status(), 0, ""};
  size_t received = 0;
  request->on_data = [&](std::string_view piece) {  // of a 2xx answer
    received += piece.size();
    return received <= kMaxWebhookAnswerBytes;
  };
  if (!call.ca.empty()) {
    const Result<std::string> ca = base::Base64Decode(call.ca);
    if (!ca.ok()) return {ca.status().WithContext("ca.crt"), 0, ""};
    options.ca_pem = *ca;
  }
  const auto client = std::make_shared<base::HttpClient>(std::move(options));
  {
    const std::lock_guard lock(mutex);
    if (stopping) return {Status(Code::kCancelled, "plumb is shutting down"), 0, ""};
    running[id] = client;
  }
  loop.Post(lifeline.Wrap([this, id, limit = call.time_limit] { HangUpAfter(limit, id); }));
  const Result<base::HttpAnswer> got = client->Do(*request);
  {
    const std::lock_guard lock(mutex);
    running.erase(id);
  }
  if (received > kMaxWebhookAnswerBytes) return {Status(), 200, ""};
  answer.status = got.status();
  if (!got.ok()) return answer;
  answer.http_status = got->status;
  if (const auto found = got->headers.find("retry-after"); found != got->headers.end()) {
    answer.retry_after = found->second;
  }
  return answer;
}

HttpWebhookSender::HttpWebhookSender(base::Loop& loop, AddressGuard guard)
    : impl_(std::make_unique<Impl>(loop, std::move(guard))) {}

HttpWebhookSender::~HttpWebhookSender() {
  impl_->lifeline.Cut();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (const auto& [id, client] : impl_->running) client->HangUp();
  }
  impl_->pool.Stop();
}

void HttpWebhookSender::Send(WebhookCall call, std::function<void(WebhookAnswer)> done) {
  const uint64_t id = ++impl_->last_id;
  Impl* impl = impl_.get();
  const auto finish = [impl, done, tie = impl->lifeline.tie()](WebhookAnswer answer) {
    impl->loop.Post(tie.Wrap([done, answer = std::move(answer)] { done(answer); }));
  };
  const bool taken = impl->pool.Submit(
      [impl, call = std::move(call), id, finish] { finish(impl->Run(call, id)); });
  if (!taken) finish({Status(Code::kUnavailable, "too many webhooks are on their way"), 0, ""});
}

}  // namespace gitsync
