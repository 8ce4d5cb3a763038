// Timestamp: a time of the years 1 to 9999 as texts and wire forms carry it. What plumb reckons
// with is WallTime, which has nanoseconds since 1970 in 64 bits and so ends at 1678 and 2262.
// Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

struct Timestamp {
  int64_t seconds = 0;  // since 1970, UTC
  int64_t nanos = 0;    // 0 to 999,999,999

  // RFC 3339 with any fraction and offset. kInvalid, also for a year outside the range.
  static Result<Timestamp> Parse(std::string_view text);
  bool IsInRange() const;             // the other functions are for those that are
  std::string ToString() const;       // metav1.Time: "0001-01-01T00:00:02Z"
  std::string ToMicroString() const;  // metav1.MicroTime
};

}  // namespace base
