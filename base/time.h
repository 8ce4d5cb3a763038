// Time as types: Duration (a length), MonotonicTime (for timeouts) and WallTime (what objects
// carry).
//
// Values, any thread. Nothing here reads a clock: the current time is an argument, and comes from a
// Loop.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

// A signed length of time with nanosecond resolution.
class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration Nanos(int64_t n) { return Duration(n); }
  static constexpr Duration Micros(int64_t n) { return Duration(n * 1000); }
  static constexpr Duration Millis(int64_t n) { return Duration(n * 1'000'000); }
  static constexpr Duration Seconds(int64_t n) { return Duration(n * 1'000'000'000); }
  static constexpr Duration Minutes(int64_t n) { return Seconds(n * 60); }
  static constexpr Duration Hours(int64_t n) { return Seconds(n * 3600); }

  // Go's syntax, as Kubernetes and Flux write it: "300ms", "1m30s", "2h". Bad input is kInvalid.
  static Result<Duration> Parse(std::string_view text);
  // The shortest form that Parse reads back: "1m30s", "0s".
  std::string ToString() const;

  constexpr int64_t nanos() const { return nanos_; }
  constexpr int64_t millis() const { return nanos_ / 1'000'000; }
  constexpr int64_t seconds() const { return nanos_ / 1'000'000'000; }
  constexpr double ToSecondsDouble() const { return static_cast<double>(nanos_) / 1e9; }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return Duration(nanos_ + other.nanos_); }
  constexpr Duration operator-(Duration other) const { return Duration(nanos_ - other.nanos_); }
  constexpr Duration operator*(int64_t factor) const { return Duration(nanos_ * factor); }
  constexpr Duration operator/(int64_t divisor) const { return Duration(nanos_ / divisor); }

 private:
  explicit constexpr Duration(int64_t nanos) : nanos_(nanos) {}
  int64_t nanos_ = 0;
};

// A point on a clock that never steps. Its origin means nothing: only differences do.
class MonotonicTime {
 public:
  constexpr MonotonicTime() = default;
  static constexpr MonotonicTime FromNanos(int64_t n) { return MonotonicTime(n); }
  constexpr int64_t nanos() const { return nanos_; }

  constexpr auto operator<=>(const MonotonicTime&) const = default;
  constexpr MonotonicTime operator+(Duration d) const { return MonotonicTime(nanos_ + d.nanos()); }
  constexpr MonotonicTime operator-(Duration d) const { return MonotonicTime(nanos_ - d.nanos()); }
  constexpr Duration operator-(MonotonicTime other) const {
    return Duration::Nanos(nanos_ - other.nanos_);
  }

 private:
  explicit constexpr MonotonicTime(int64_t nanos) : nanos_(nanos) {}
  int64_t nanos_ = 0;
};

// A point in civil time, UTC, nanoseconds since 1970. It may step either way.
class WallTime {
 public:
  constexpr WallTime() = default;  // "no time": IsZero()
  static constexpr WallTime FromNanos(int64_t n) { return WallTime(n); }
  static constexpr WallTime FromSeconds(int64_t n) { return WallTime(n * 1'000'000'000); }

  // RFC 3339 with any fraction and offset. Bad input is kInvalid.
  static Result<WallTime> Parse(std::string_view text);
  std::string ToString() const;       // metav1.Time: "2026-11-22T23:48:00Z"
  std::string ToMicroString() const;  // metav1.MicroTime: "2026-11-22T23:48:00.123456Z"

  constexpr bool IsZero() const { return nanos_ == 0; }
  constexpr int64_t nanos() const { return nanos_; }
  constexpr int64_t seconds() const { return nanos_ / 1'000'000'000; }

  constexpr auto operator<=>(const WallTime&) const = default;
  constexpr WallTime operator+(Duration d) const { return WallTime(nanos_ + d.nanos()); }
  constexpr WallTime operator-(Duration d) const { return WallTime(nanos_ - d.nanos()); }
  constexpr Duration operator-(WallTime other) const {
    return Duration::Nanos(nanos_ - other.nanos_);
  }

 private:
  explicit constexpr WallTime(int64_t nanos) : nanos_(nanos) {}
  int64_t nanos_ = 0;
};

// Both clocks at one instant: what a decision is given as "now".
struct Now {
  MonotonicTime monotonic;
  WallTime wall;
};

}  // namespace base
