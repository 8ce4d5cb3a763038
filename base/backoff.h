// Backoff: how long to wait before what failed is tried again: `first`, then each time `factor` as
// long, never longer than `most`.
//
// A value, one owner. It draws no lots: who wants the waits of many spread does that with the Rng
// that it owns.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace base {

class Backoff {
 public:
  constexpr Backoff(Duration first, Duration most, int64_t factor = 2)
      : first_(first), most_(most), factor_(factor) {}

  // Counts one more failure: the wait after it.
  constexpr Duration Next() { return After(++failures_); }
  // It succeeded.
  constexpr void Reset() { failures_ = 0; }

  constexpr uint32_t failures() const { return failures_; }  // in a row
  constexpr Duration most() const { return most_; }
  // The wait after that many failures in a row, of which there is at least one.
  constexpr Duration After(uint32_t failures) const {
    Duration wait = first_;
    for (uint32_t i = 1; i < failures && wait < most_; ++i) wait = wait * factor_;
    return wait < most_ ? wait : most_;
  }

 private:
  Duration first_, most_;
  int64_t factor_;
  uint32_t failures_ = 0;
};

}  // namespace base
