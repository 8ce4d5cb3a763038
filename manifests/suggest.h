// "Did you mean": the known word that a misspelt one was most likely meant to be. Pure.
#pragma once

#include <string_view>
#include <vector>

namespace manifests {

inline constexpr size_t kMaxMisspellings = 2;  // letters added, dropped, changed or swapped

// The closest of `words`: the same but for upper and lower case, else at most kMaxMisspellings away
// (one for words of up to three letters). Of equals the first. Empty if none is close.
std::string_view Closest(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace manifests
