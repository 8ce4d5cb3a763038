// Figure: one measured number beside the peer or floor that it is compared with: one line of
// ci/bench, a JSON object with always the same members, null where there is nothing to say:
//
//   name            what was measured; `ci/bench --list` explains it
//   parameters      an object: sizes, counts, how often it was repeated
//   value, unit     of plumb
//   compared_with   the peer or floor, and where its number comes from
//   compared_value  in the same unit; null if the peer is not on this machine
//   ratio           value / compared_value
//   aim             what is wanted of the value or of the ratio: "ratio >= 0.8", "value <= 50"
//   met             whether it is so; null if it cannot be said
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace bench {

struct Aim {
  enum class Of { kNothing, kValue, kRatio };
  Of of = Of::kNothing;
  bool at_least = true;  // else at most
  double bound = 0;
};
inline constexpr Aim NoAim() { return {}; }
inline constexpr Aim ValueAtLeast(double bound) { return {Aim::Of::kValue, true, bound}; }
inline constexpr Aim ValueAtMost(double bound) { return {Aim::Of::kValue, false, bound}; }
inline constexpr Aim RatioAtLeast(double bound) { return {Aim::Of::kRatio, true, bound}; }
inline constexpr Aim RatioAtMost(double bound) { return {Aim::Of::kRatio, false, bound}; }

using Parameters = std::vector<std::pair<std::string, base::Json>>;

struct Figure {
  std::string name;
  Parameters parameters;
  double value = 0;
  std::string unit;
  std::string compared_with;  // "" for nothing
  std::optional<double> compared_value;
  Aim aim;
};

// The line, without its end.
std::string FormatFigure(const Figure& figure);
// Writes it to standard output at once.
void Report(const Figure& figure);

// Both take at least one value. The median of an even count is the lower one of the middle two.
double Median(std::vector<double> values);
double Percentile(std::vector<double> values, double percent);

}  // namespace bench
