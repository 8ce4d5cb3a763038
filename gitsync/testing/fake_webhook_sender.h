// FakeWebhookSender: receivers that answer as they are told, on virtual time.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "gitsync/report/webhook.h"

namespace gitsync {

class FakeWebhookSender : public WebhookSender {
 public:
  explicit FakeWebhookSender(base::Loop& loop) : loop_(loop) {}

  void Send(WebhookCall call, std::function<void(WebhookAnswer)> done) override {
    calls.push_back(std::move(call));
    ++sending;
    most_sending = std::max(most_sending, sending);
    WebhookAnswer answer{base::Status(), 204, ""};
    if (!answers.empty()) {
      answer = answers.front();
      answers.pop_front();
    }
    loop_.After(latency, [this, answer, done = std::move(done)] {
      --sending;
      done(answer);
    });
  }

  std::vector<WebhookCall> calls;
  std::deque<WebhookAnswer> answers;  // of the next calls; 204 when there is none
  base::Duration latency = base::Duration::Millis(10);
  size_t sending = 0, most_sending = 0;

 private:
  base::Loop& loop_;
};

}  // namespace gitsync
