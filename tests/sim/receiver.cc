#include "tests/sim/receiver.h"

#include "gitsync/report/notifiers/webhook_signature.h"

namespace tests {
namespace {

constexpr int kMaxFailures = 3;          // of one event: more would wait beyond the run's end
constexpr uint64_t kMaxLatency = 4'000;  // milliseconds, one way

bool IsSigned(const state::HttpCall& call) {
  const auto key = gitsync::ParseSigningSecret(Receiver::kSecret);
  CHECK(key.ok());
  const std::string time = HeaderOf(call, "webhook-timestamp");
  return !time.empty() &&
         HeaderOf(call, "webhook-signature") ==
             gitsync::SignWebhook(*key, HeaderOf(call, "webhook-id"),
                                  base::WallTime::FromSeconds(std::stoll(time)), call.body);
}

}  // namespace

base::Duration Receiver::Latency() {
  return base::Duration::Millis(static_cast<int64_t>(1 + (calm_ ? 0 : rng_.Below(kMaxLatency))));
}

std::optional<state::HttpAnswer> Receiver::Take(const state::HttpCall& call) {
  const std::string id = HeaderOf(call, "webhook-id");
  world_.Trace("webhook " + id);
  if (!IsSigned(call)) world_.Fail("webhook " + id + " is not signed as its receiver asked");
  Event& event = events_[id];
  if (!event.body.empty() && event.body != call.body) {
    world_.Fail("webhook " + id + " came with another body");
  }
  event.body = call.body;
  const uint64_t luck = calm_ || event.failures >= kMaxFailures ? 9 : rng_.Below(10);
  if (luck < 3) ++event.failures;
  if (luck == 0) return state::HttpAnswer{.code = 503};
  if (luck == 1) {
    return state::HttpAnswer{.status = base::Status(base::Code::kUnavailable, "no connection")};
  }
  event.taken = true;
  const auto [known, first] = taken_.try_emplace(call.body, id);
  if (known->second != id) {
    world_.Fail("one event came as webhook " + known->second + " and as " + id);
  }
  if (luck == 2) return std::nullopt;
  return state::HttpAnswer{.code = 204};
}

bool Receiver::Heard(const std::string& text) const {
  for (const auto& [body, id] : taken_) {
    if (body.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace tests
