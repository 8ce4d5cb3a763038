// Faults: named points at which an edge or a fake can be made to fail, by a seed (simulation) or by
// name (tests of the real program). Without one installed nothing ever fails here.
//
// Loop only, or guarded by its owner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/rng.h"

namespace base {

class Faults {
 public:
  explicit Faults(uint64_t seed) : rng_(seed) {}

  // Makes `point` fail in `numerator` of `denominator` cases; 0 ends it.
  void Set(std::string_view point, uint64_t numerator, uint64_t denominator = 1);
  // Makes `point` fail once, after `skip` calls that do not.
  void SetOnce(std::string_view point, uint64_t skip = 0);
  void Clear() {
    rates_.clear();
    once_.clear();
  }

  // True if the caller should fail now.
  bool Hit(std::string_view point);
  uint64_t hits() const { return hits_; }

 private:
  struct Rate {
    uint64_t numerator;
    uint64_t denominator;
  };
  Rng rng_;
  std::map<std::string, Rate, std::less<>> rates_;
  std::map<std::string, uint64_t, std::less<>> once_;
  uint64_t hits_ = 0;
};

}  // namespace base
