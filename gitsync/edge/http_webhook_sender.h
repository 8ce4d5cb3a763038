// HttpWebhookSender: webhooks over HTTP and HTTPS, each on a thread of a pool of its own, so that
// slow receivers hold up nobody but each other.
//
// Loop only; destroying it hangs up on those under way, whose `done` is then not called. An address
// is checked after the name was looked up, and it is that address that is connected to. The time
// limit is for the whole exchange but the lookup of the name.
#pragma once

#include <memory>

#include "base/loop.h"
#include "gitsync/report/address_guard.h"
#include "gitsync/report/webhook.h"

namespace gitsync {

inline constexpr int kWebhookThreads = 8;
inline constexpr size_t kMaxWebhookAnswerBytes = 16384;  // read of an answer's body

class HttpWebhookSender : public WebhookSender {
 public:
  HttpWebhookSender(base::Loop& loop, AddressGuard guard);
  ~HttpWebhookSender() override;
  void Send(WebhookCall call, std::function<void(WebhookAnswer)> done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gitsync
