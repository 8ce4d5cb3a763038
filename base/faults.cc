#include "base/faults.h"

#include "base/status.h"

namespace base {

void Faults::Set(std::string_view point, uint64_t numerator, uint64_t denominator) {
  CHECK(denominator > 0);
  if (numerator == 0) {
    rates_.erase(std::string(point));
  } else {
    rates_.insert_or_assign(std::string(point), Rate{numerator, denominator});
  }
}

void Faults::SetOnce(std::string_view point, uint64_t skip) {
  once_.insert_or_assign(std::string(point), skip);
}

bool Faults::Hit(std::string_view point) {
  bool hit = false;
  if (const auto once = once_.find(point); once != once_.end()) {
    hit = once->second == 0;
    if (hit) {
      once_.erase(once);
    } else {
      --once->second;
    }
  }
  // A point without a rate draws nothing, so that one more call somewhere does not move the faults
  // of the other points.
  if (const auto rate = rates_.find(point); rate != rates_.end()) {
    hit = rng_.Chance(rate->second.numerator, rate->second.denominator) || hit;
  }
  if (hit) ++hits_;
  return hit;
}

}  // namespace base
