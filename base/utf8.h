// UTF-8, as RFC 3629 has it. Pure, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// Length of the sequence at the front of `text` (not empty), or 0 if it is malformed, overlong, a
// surrogate or beyond U+10FFFF.
size_t Utf8Length(std::string_view text);

bool IsUtf8(std::string_view text);

// `text` as it is, with U+FFFD for each byte that is part of no sequence.
std::string ToUtf8(std::string_view text);

// Appends the code point.
void AppendUtf8(uint32_t code, std::string& out);

}  // namespace base
