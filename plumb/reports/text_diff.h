// The lines in which two YAML texts differ, as a person wants to see them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb {

inline constexpr size_t kDiffContext = 2;         // equal lines shown around a change
inline constexpr size_t kMaxDiffCells = 4 << 20;  // of the comparison; beyond, all is replaced

struct DiffLine {
  enum class Kind { kPlace, kSame, kRemoved, kAdded };
  Kind kind = Kind::kSame;
  std::string text;  // without a sign; of kPlace the fields around what follows: "spec.template"
};

// Empty if the texts are equal.
std::vector<DiffLine> DiffYaml(std::string_view before, std::string_view after);

}  // namespace plumb
