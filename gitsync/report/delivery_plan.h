// What is to be done with a Delivery, and what an attempt changes. Pure.
//
// Attempts follow each other after 5 s, 15 s, 45 s and so on, at most 4 h, a fifth more or less by
// chance: kMaxAttempts take about 16 hours. An answer of 2xx ends them, and 410, the receiver's way
// to say that it wants no more; Retry-After makes a wait longer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/json.h"
#include "gitsync/report/webhook.h"
#include "state/view.h"

namespace gitsync {

inline constexpr int64_t kMaxAttempts = 12;
inline constexpr base::Backoff kDeliveryRetry{base::Duration::Seconds(5), base::Duration::Hours(4),
                                              3};
inline constexpr base::Duration kMaxRetryAfter = base::Duration::Hours(12);
inline constexpr base::Duration kKeepDelivered = base::Duration::Hours(1);
inline constexpr base::Duration kKeepGivenUp = base::Duration::Hours(24);
inline constexpr base::Duration kAttemptLimit =
    base::Duration::Seconds(15);  // Provider.timeout's default
inline constexpr base::Duration kMaxAttemptLimit = base::Duration::Seconds(30);

struct DeliveryStep {
  enum class Act {
    kIdle,    // until its Provider changes
    kWait,    // until `at`
    kSend,    // `call`
    kFail,    // as an attempt that failed for `why`
    kGiveUp,  // for `why`
    kRemove,
  };
  Act act = Act::kIdle;
  base::WallTime at;
  std::string why;
  WebhookCall call;
};

DeliveryStep NextStep(const state::View& view, const state::Object& delivery, base::WallTime now);

// The Delivery's status after an attempt. `chance` is a random number.
base::Json AfterAttempt(const state::Object& delivery, const WebhookAnswer& answer,
                        base::WallTime now, uint64_t chance);
base::Json AfterGivingUp(const state::Object& delivery, std::string_view why, base::WallTime now);

// "120" or "Wed, 21 Oct 2026 07:28:00 GMT" (RFC 9110, 10.2.3), at most kMaxRetryAfter; nothing
// for any other text or a time that has passed.
std::optional<base::Duration> ParseRetryAfter(std::string_view text, base::WallTime now);

}  // namespace gitsync
