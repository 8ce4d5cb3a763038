// A Delivery without a status is pending and due at once. Times are on the wall clock, since they
// outlive the process. One that is further ahead than any can be was written before the clock went
// back: it has come.
//
// A Secret that is missing may come: that is a failed attempt. A Provider that is gone, or is no
// webhook any more, says that nobody wants to be told.
#include "gitsync/report/delivery_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gitsync/deploy/settlement.h"
#include "gitsync/report/webhook_event.h"
#include "state/own_secrets.h"

namespace gitsync {
namespace {

using base::Duration;
using base::Json;
using base::WallTime;
using Act = DeliveryStep::Act;

WallTime TimeIn(base::Value value) {
  const auto time = WallTime::Parse(value.AsString());
  return time.ok() ? *time : WallTime();
}

DeliveryStep Step(Act act, std::string why) {
  DeliveryStep step;
  step.act = act;
  step.why = std::move(why);
  return step;
}

bool IsAhead(WallTime at, WallTime now, Duration most) { return at > now && at - now <= most; }

DeliveryStep Wait(WallTime at) {
  DeliveryStep step;
  step.act = Act::kWait;
  step.at = at;
  return step;
}

// The value of a Secret's key, in base64; empty if there is none, or it is none of a user's.
std::string SecretValue(const state::View& view, const std::string& ns, base::Value reference,
                        std::string_view key) {
  const state::Key name{"secrets", ns, std::string(reference["name"].AsString())};
  const state::ObjectPtr secret = state::IsOwnSecret(name) ? nullptr : view.Get(name);
  return secret == nullptr ? "" : std::string((*secret)["data"][key].AsString());
}

DeliveryStep SendStep(const state::View& view, const state::Object& delivery,
                      const state::Object& provider, WallTime now) {
  const std::string& ns = delivery.key.ns;
  const base::Value spec = provider["spec"];
  DeliveryStep step;
  step.act = Act::kSend;
  step.call.id = delivery.Uid();
  step.call.timestamp = now;
  step.call.body = delivery["spec"]["body"].AsString();
  step.call.url = spec["address"].AsString();
  if (step.call.url.empty()) return Step(Act::kFail, "the Provider has no address");
  step.call.secret = SecretValue(view, ns, spec["secretRef"], "token");
  if (step.call.secret.empty()) {
    return Step(Act::kFail, "there is no Secret \"" +
                                std::string(spec["secretRef"]["name"].AsString()) +
                                "\" with the key token");
  }
  if (spec["certSecretRef"].Exists()) {
    step.call.ca = SecretValue(view, ns, spec["certSecretRef"], "ca.crt");
    if (step.call.ca.empty()) {
      return Step(Act::kFail, "there is no Secret \"" +
                                  std::string(spec["certSecretRef"]["name"].AsString()) +
                                  "\" with the key ca.crt");
    }
  }
  const auto limit = Duration::Parse(spec["timeout"].AsString());
  step.call.time_limit = limit.ok() ? *limit : kAttemptLimit;
  step.call.time_limit = std::clamp(step.call.time_limit, Duration::Seconds(1), kMaxAttemptLimit);
  return step;
}

Duration WaitAfter(int64_t attempts, uint64_t chance) {
  const Duration wait = kDeliveryRetry.After(static_cast<uint32_t>(attempts));
  return wait * static_cast<int64_t>(80 + chance % 41) / 100;
}

void Finish(Json& status, std::string_view phase, WallTime now) {
  status.Set("phase", phase);
  status.Set("finished", now.ToString());
  status.Remove("nextAttempt");
}

}  // namespace

DeliveryStep NextStep(const state::View& view, const state::Object& delivery, WallTime now) {
  const base::Value spec = delivery["spec"], status = delivery["status"];
  const std::string_view phase = status["phase"].AsString();
  if (phase == "Delivered" || phase == "GivenUp") {
    const Duration keep = phase == "Delivered" ? kKeepDelivered : kKeepGivenUp;
    const WallTime end = TimeIn(status["finished"]) + keep;
    return IsAhead(end, now, keep) ? Wait(end) : Step(Act::kRemove, "");
  }
  const state::ObjectPtr provider =
      view.Get(kProviders, delivery.key.ns, spec["provider"].AsString());
  if (provider == nullptr) return Step(Act::kGiveUp, "its Provider is gone");
  if ((*provider)["spec"]["type"].AsString() != kWebhookType) {
    return Step(Act::kGiveUp, "its Provider is no " + std::string(kWebhookType) + " any more");
  }
  if ((*provider)["spec"]["suspend"].AsBool()) return Step(Act::kIdle, "its Provider is suspended");
  // An attempt that is yet to come was made before the clock was set back: its wait means nothing.
  const WallTime last = TimeIn(status["lastAttempt"]), next = TimeIn(status["nextAttempt"]);
  if (last <= now && IsAhead(next, now, kMaxRetryAfter)) return Wait(next);
  return SendStep(view, delivery, *provider, now);
}

Json AfterAttempt(const state::Object& delivery, const WebhookAnswer& answer, WallTime now,
                  uint64_t chance) {
  Json status = delivery["status"].ToJson();
  const int64_t attempts = std::as_const(status)["attempts"].AsInt() + 1;
  const int code = answer.status.ok() ? answer.http_status : 0;
  status.Set("attempts", attempts);
  status.Set("lastAttempt", now.ToString());
  status.Set("phase", "Pending");
  status.Remove("response");
  if (code != 0) status.Set("response", code);
  std::string message(answer.status.message());
  if (code != 0) message = "the receiver answered " + std::to_string(code);
  if (code / 100 == 3) message += "; redirects are not followed";
  if (code / 100 == 2) {
    Finish(status, "Delivered", now);
  } else if (code == 410) {
    Finish(status, "GivenUp", now);
    message += ": it wants no more";
  } else if (attempts >= kMaxAttempts) {
    Finish(status, "GivenUp", now);
    message += "; that was the last attempt";
  } else {
    Duration wait = WaitAfter(attempts, chance);
    if (const auto asked = ParseRetryAfter(answer.retry_after, now)) {
      wait = std::max(wait, *asked);
    }
    status.Set("nextAttempt", (now + wait).ToString());
  }
  status.Set("message", OneLine(message, kMaxSettlementMessageBytes));
  return status;
}

Json AfterGivingUp(const state::Object& delivery, std::string_view why, WallTime now) {
  Json status = delivery["status"].ToJson();
  Finish(status, "GivenUp", now);
  status.Set("message", why);
  return status;
}

std::optional<Duration> ParseRetryAfter(std::string_view text, WallTime now) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr size_t kDateBytes = 29;
  int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (!text.empty() && error == std::errc() && rest == end) {
    if (seconds <= 0) return std::nullopt;
    return Duration::Seconds(std::min(seconds, kMaxRetryAfter.seconds()));
  }
  if (text.size() != kDateBytes || !text.ends_with(" GMT")) return std::nullopt;
  const size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::string number = std::to_string(month / 3 + 1);
  const auto when = WallTime::Parse(
      std::string(text.substr(12, 4)) + "-" + (number.size() < 2 ? "0" : "") + number + "-" +
      std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z");
  if (!when.ok() || *when <= now) return std::nullopt;
  return std::min(*when - now, kMaxRetryAfter);
}

}  // namespace gitsync
