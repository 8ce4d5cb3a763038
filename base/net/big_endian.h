// Numbers as wire formats carry them: most significant byte first. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

inline uint64_t ReadBigEndian(std::string_view bytes) {  // at most 8
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

inline void AppendBigEndian(uint64_t number, size_t bytes, std::string& out) {
  for (size_t i = bytes; i-- > 0;) out += static_cast<char>(number >> (8 * i) & 0xff);
}

}  // namespace base
