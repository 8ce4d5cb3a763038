// A Delivery without a status is pending and due at once; one without a type is of an older plumb,
// which knew one type.
//
// A Secret that is missing may come, and one that is wrong may be mended: that is a failed attempt.
// A Provider that is gone, or is of another type by now, says that nobody wants to be told: what
// was made for the one type means nothing to the other.
#include "gitsync/report/delivery.h"

#include <algorithm>
#include <utility>

#include "gitsync/plan/history.h"
#include "gitsync/report/notifiers/notifier.h"
#include "state/errands/attempts.h"
#include "state/own_secrets.h"

namespace gitsync {
namespace {

using base::Code;
using base::Duration;
using base::Json;
using base::Status;
using base::WallTime;
using state::ErrandCall;
using state::ErrandFailure;
using state::ErrandRecord;
using state::ErrandRemoval;
using state::ErrandRest;
using state::ErrandStep;
using state::ErrandWait;
using state::HttpAnswer;
using state::HttpCall;

constexpr state::RetryPolicy kRetry = {
    .backoff = base::Backoff(Duration::Seconds(5), Duration::Hours(4), 3),
    .max_attempts = kMaxAttempts,
};

ProviderSecret SecretOf(const state::View& view, const std::string& ns, base::Value reference) {
  const state::Key key{"secrets", ns, std::string(reference["name"].AsString())};
  const bool is_users = !key.name.empty() && !state::IsOwnSecret(key);
  return {key.name, is_users ? view.Get(key) : nullptr};
}

// The call without what its notifier adds.
base::Result<HttpCall> PlainCall(const state::View& view, const state::Object& delivery,
                                 base::Value spec, const ProviderSecret& secret) {
  HttpCall call{.method = "POST", .url = std::string(spec["address"].AsString())};
  if (secret.Has("address")) {
    ASSIGN_OR_RETURN(call.url, secret.Get("address"));
    while (call.url.ends_with('\n') || call.url.ends_with('\r')) call.url.pop_back();
  }
  if (call.url.empty()) return Status(Code::kNotFound, "the Provider has no address");
  call.body = delivery["spec"]["body"].AsString();
  if (spec["certSecretRef"].Exists()) {
    const ProviderSecret ca = SecretOf(view, delivery.key.ns, spec["certSecretRef"]);
    ASSIGN_OR_RETURN(call.ca_pem, ca.Get("ca.crt"));
  }
  const auto limit = Duration::Parse(spec["timeout"].AsString());
  call.time_limit =
      std::clamp(limit.ok() ? *limit : kAttemptLimit, Duration::Seconds(1), kMaxAttemptLimit);
  return call;
}

ErrandStep Send(const state::View& view, const state::Object& delivery,
                const state::Object& provider, const Notifier& notifier, WallTime now) {
  const base::Value spec = provider["spec"];
  const ProviderSecret secret = SecretOf(view, delivery.key.ns, spec["secretRef"]);
  base::Result<HttpCall> call = PlainCall(view, delivery, spec, secret);
  if (!call.ok()) return ErrandFailure{call.status()};
  Status addressed =
      notifier.address({.id = std::string(delivery.Uid()), .now = now, .secret = secret}, *call);
  if (!addressed.ok()) return ErrandFailure{std::move(addressed)};
  return ErrandCall{*std::move(call), provider.key.ToString()};
}

void Finish(Json& status, std::string_view phase, WallTime now) {
  status.Set("phase", phase);
  status.Set("finished", now.ToString());
  status.Remove("nextAttempt");
}

ErrandRecord GiveUp(const state::Object& delivery, const std::string& why, WallTime now) {
  Json status = delivery["status"].ToJson();
  Finish(status, "GivenUp", now);
  status.Set("message", why);
  return {std::move(status), why};
}

ErrandStep Next(const state::View& view, const state::Object& delivery, WallTime now) {
  const base::Value status = delivery["status"];
  if (IsFinished(delivery)) {
    const Duration keep = status["phase"].AsString() == "Delivered" ? kKeepDelivered : kKeepGivenUp;
    const WallTime end = state::TimeIn(status["finished"]) + keep;
    if (state::IsAhead(end, now, keep)) return ErrandWait{end};
    return ErrandRemoval();
  }
  const std::string type(NotifierType(delivery));
  const Notifier* notifier = FindNotifier(type);
  const state::ObjectPtr provider =
      view.Get(kProviders, delivery.key.ns, delivery["spec"]["provider"].AsString());
  if (provider == nullptr) return GiveUp(delivery, "its Provider is gone", now);
  if (notifier == nullptr || (*provider)["spec"]["type"].AsString() != type) {
    return GiveUp(delivery, "its Provider is no " + type + " any more", now);
  }
  if ((*provider)["spec"]["suspend"].AsBool()) return ErrandRest();
  if (const auto next = state::NextAttempt(status, now)) return ErrandWait{*next};
  return Send(view, delivery, *provider, *notifier, now);
}

ErrandRecord Absorb(const state::Object& delivery, const HttpAnswer& answer, WallTime now) {
  Json status = delivery["status"].ToJson();
  // Its Provider went meanwhile; that it arrived all the same is worth knowing.
  if (IsFinished(delivery) && !answer.succeeded()) return {std::move(status), ""};
  std::string message(answer.status.message());
  status.Set("phase", "Pending");
  status.Remove("response");
  if (answer.status.ok()) {
    status.Set("response", answer.code);
    message = "the receiver answered " + std::to_string(answer.code);
  }
  state::CountAttempt(status, now);
  if (answer.code / 100 == 3) message += "; redirects are not followed";
  if (answer.succeeded()) {
    Finish(status, "Delivered", now);
  } else if (answer.code == 410) {
    Finish(status, "GivenUp", now);
    message += ": it wants no more";
  } else if (!state::PlanRetry(status, delivery, kRetry, answer, now)) {
    Finish(status, "GivenUp", now);
    message += "; that was the last attempt";
  }
  message = OneLine(message, kMaxDeployMessageBytes);
  status.Set("message", message);
  return {std::move(status), answer.succeeded() ? "" : message};
}

constexpr std::string_view kWakesOn[] = {kProviders};

}  // namespace

bool IsFinished(const state::Object& delivery) {
  const std::string_view phase = delivery["status"]["phase"].AsString();
  return phase == "Delivered" || phase == "GivenUp";
}

std::string_view NotifierType(const state::Object& delivery) {
  return delivery["spec"]["type"].AsString("standard-webhook");
}

extern constinit const state::ErrandKind kDeliveryErrands = {
    .resource = kDeliveries,
    .wakes_on = kWakesOn,
    .next = Next,
    .absorb = Absorb,
};

}  // namespace gitsync
