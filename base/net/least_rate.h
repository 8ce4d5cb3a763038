// LeastRate: whether a peer keeps up: so many bytes in each stretch of time, whenever it is its
// turn to send or to read. Who trickles is found out as who stalls.
//
// A value; the time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace base {

inline constexpr size_t kLeastBytesPerSecond = 1024;  // what the slowest of modems had

class LeastRate {
 public:
  // The first stretch begins, unless one has.
  void Begin(MonotonicTime now, Duration stretch) {
    if (stretch_ == stretch) return;
    stretch_ = stretch;
    since_ = now;
    moved_ = 0;
  }
  // It is not the peer's turn any more.
  void End() { stretch_ = Duration(); }
  void Moved(size_t bytes) { moved_ += bytes; }

  // When KeepsUp is to be asked; nanos 0: it is not the peer's turn.
  MonotonicTime deadline() const {
    return stretch_ == Duration() ? MonotonicTime() : since_ + stretch_;
  }
  // Whether the stretch that has ended had its bytes; the next one begins.
  bool KeepsUp(MonotonicTime now) {
    if (stretch_ == Duration() || now < deadline()) return true;
    const bool enough = static_cast<int64_t>(moved_) * 1000 >=
                        static_cast<int64_t>(kLeastBytesPerSecond) * stretch_.millis();
    since_ = now;
    moved_ = 0;
    return enough;
  }

 private:
  Duration stretch_;  // 0: not the peer's turn
  MonotonicTime since_;
  size_t moved_ = 0;
};

}  // namespace base
