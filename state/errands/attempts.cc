// A status that says nothing is that of an errand which is due at once. An attempt that is yet to
// come was made before the clock was set back: the wait after it means nothing.
#include "state/errands/attempts.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "base/hash.h"

namespace state {

using base::Duration;
using base::Json;
using base::WallTime;

namespace {

// 80 to 120 percent, another share for each attempt of each errand.
int64_t PercentOf(const Object& errand, int64_t attempts) {
  const uint64_t chance =
      base::Fnv64(std::string(errand.Uid()) + "/" + std::to_string(attempts)) >> 16;
  return static_cast<int64_t>(80 + chance % 41);
}

}  // namespace

std::optional<WallTime> NextAttempt(base::Value status, WallTime now) {
  const WallTime next = TimeIn(status["nextAttempt"]);
  if (TimeIn(status["lastAttempt"]) > now || !IsAhead(next, now, kMaxRetryAfter)) {
    return std::nullopt;
  }
  return next;
}

int64_t CountAttempt(Json& status, WallTime now) {
  const int64_t attempts = std::as_const(status)["attempts"].AsInt() + 1;
  status.Set("attempts", attempts);
  status.Set("lastAttempt", now.ToString());
  status.Remove("nextAttempt");
  return attempts;
}

bool PlanRetry(Json& status, const Object& errand, const RetryPolicy& policy,
               const HttpAnswer& answer, WallTime now) {
  const int64_t attempts = std::as_const(status)["attempts"].AsInt();
  if (attempts >= policy.max_attempts) return false;
  Duration wait =
      policy.backoff.After(static_cast<uint32_t>(attempts)) * PercentOf(errand, attempts) / 100;
  if (const auto asked = ParseRetryAfter(answer.Header("retry-after"), now)) {
    wait = std::max(wait, *asked);
  }
  status.Set("nextAttempt", (now + std::min(wait, kMaxRetryAfter)).ToString());
  return true;
}

bool IsAhead(WallTime at, WallTime now, Duration most) { return at > now && at - now <= most; }

WallTime TimeIn(base::Value value) {
  const auto time = WallTime::Parse(value.AsString());
  return time.ok() ? *time : WallTime();
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

}  // namespace state
