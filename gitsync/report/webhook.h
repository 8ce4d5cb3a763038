// WebhookSender: sends one signed webhook. edge/http_webhook_sender does it over HTTP; tests have
// fakes. Loop only.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "base/time.h"

namespace gitsync {

// By the Standard Webhooks specification: the signature is over "ID.TIMESTAMP.BODY".
struct WebhookCall {
  std::string url;
  std::string id;  // the same at each attempt
  base::WallTime timestamp;
  std::string body;    // JSON
  std::string secret;  // the Secret's value as it is stored, in base64; never logged
  std::string ca;      // likewise, PEM: who may vouch for the receiver; empty: the system's
  base::Duration time_limit;
};

struct WebhookAnswer {
  base::Status status;  // OK if there was an answer, whatever it says
  int http_status = 0;
  std::string retry_after;  // the header, as it was sent
};

class WebhookSender {
 public:
  virtual ~WebhookSender() = default;
  // `done` is called once, on the loop, never from within Send.
  virtual void Send(WebhookCall call, std::function<void(WebhookAnswer)> done) = 0;
};

}  // namespace gitsync
