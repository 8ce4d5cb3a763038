// Rng: a small seeded generator (xoshiro256**, seeded by splitmix64). Not for secrets.
//
// A value, one owner. The same seed gives the same numbers on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace base {

class Rng {
 public:
  explicit Rng(uint64_t seed);

  uint64_t Next();
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // True in `numerator` of `denominator` cases.
  bool Chance(uint64_t numerator, uint64_t denominator) { return Below(denominator) < numerator; }
  // An RFC 4122 version-4 identifier, "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".
  std::string Uuid();

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace base
