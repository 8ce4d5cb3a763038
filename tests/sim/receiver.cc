#include "tests/sim/receiver.h"

#include <utility>

namespace tests {
namespace {

constexpr int kMaxFailures = 3;          // of one event: more would wait beyond the run's end
constexpr uint64_t kMaxLatency = 4'000;  // milliseconds, one way

}  // namespace

class Receiver::Sender final : public gitsync::WebhookSender {
 public:
  Sender(Receiver& receiver, base::Loop& process) : receiver_(receiver), process_(process) {}

  void Send(gitsync::WebhookCall call, std::function<void(gitsync::WebhookAnswer)> done) override {
    process_.After(receiver_.SomeTime(), [this, call = std::move(call), done = std::move(done)] {
      gitsync::WebhookAnswer answer = receiver_.Take(call);
      process_.After(receiver_.SomeTime(), [answer = std::move(answer), done] { done(answer); });
    });
  }

 private:
  Receiver& receiver_;
  base::Loop& process_;
};

std::unique_ptr<gitsync::WebhookSender> Receiver::NewSender(base::Loop& process) {
  return std::make_unique<Sender>(*this, process);
}

base::Duration Receiver::SomeTime() {
  return base::Duration::Millis(static_cast<int64_t>(1 + (calm_ ? 0 : rng_.Below(kMaxLatency))));
}

gitsync::WebhookAnswer Receiver::Take(const gitsync::WebhookCall& call) {
  world_.Trace("webhook " + call.id);
  Event& event = events_[call.id];
  if (!event.body.empty() && event.body != call.body) {
    world_.Fail("webhook " + call.id + " came with another body");
  }
  event.body = call.body;
  const uint64_t luck = calm_ || event.failures >= kMaxFailures ? 9 : rng_.Below(10);
  if (luck < 3) ++event.failures;
  if (luck == 0) return {base::Status(), 503, ""};
  if (luck == 1) return {base::Status(base::Code::kUnavailable, "no connection"), 0, ""};
  event.taken = true;
  const auto [known, first] = taken_.try_emplace(call.body, call.id);
  if (known->second != call.id) {
    world_.Fail("one event came as webhook " + known->second + " and as " + call.id);
  }
  if (luck == 2) return {base::Status(base::Code::kTimeout, "no answer in time"), 0, ""};
  return {base::Status(), 204, ""};
}

bool Receiver::Heard(const std::string& text) const {
  for (const auto& [body, id] : taken_) {
    if (body.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace tests
