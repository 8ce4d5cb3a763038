// Attempts: the part of an errand's status that says how often it was tried, and when it will be
// again: attempts, lastAttempt, nextAttempt. Pure.
//
// Times are on the wall clock, since they outlive the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/backoff.h"
#include "base/json.h"
#include "base/time.h"
#include "state/errands/http_caller.h"
#include "state/object.h"

namespace state {

inline constexpr base::Duration kMaxRetryAfter = base::Duration::Hours(12);

struct RetryPolicy {
  // A fifth more or less, by the errand's uid, so that those which failed together do not come back
  // together. A Retry-After of the answer's makes a wait longer. No wait is longer than
  // kMaxRetryAfter.
  base::Backoff backoff;
  int64_t max_attempts = 0;
};

// When the next attempt is, if that is ahead.
std::optional<base::WallTime> NextAttempt(base::Value status, base::WallTime now);

// Counts an attempt that has ended now: how many there were.
int64_t CountAttempt(base::Json& status, base::WallTime now);

// Plans the one after those that were counted. False if there is none.
bool PlanRetry(base::Json& status, const Object& errand, const RetryPolicy& policy,
               const HttpAnswer& answer, base::WallTime now);

// `at` is ahead by at most `most`. What is further ahead was written before the clock went back: it
// has come.
bool IsAhead(base::WallTime at, base::WallTime now, base::Duration most);
// 1970 if it is no time.
base::WallTime TimeIn(base::Value value);

// "120" or "Wed, 21 Oct 2026 07:28:00 GMT" (RFC 9110, 10.2.3), at most kMaxRetryAfter; nothing
// for any other text or a time that has passed.
std::optional<base::Duration> ParseRetryAfter(std::string_view text, base::WallTime now);

}  // namespace state
