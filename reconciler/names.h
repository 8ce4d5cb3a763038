// Names that follow from what they stand for: the same content always gets the same one. Pure.
#pragma once

#include <string>
#include <string_view>

namespace reconciler {

inline constexpr size_t kMaxNameHash = 7;

// `length` letters and digits (at most kMaxNameHash) that depend on all of `content`. They contain
// no vowels, so no word comes up by accident.
std::string NameHash(std::string_view content, size_t length);

}  // namespace reconciler
