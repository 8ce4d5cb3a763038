// What may reach a terminal, a log, a commit message or a comment as text: nothing that steers a
// terminal, breaks a line or shows a reader something else than what is there.
//
// Pure; any thread. The one rule, for whatever comes from elsewhere: manifests, file names, what
// containers say, answers of servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

inline constexpr size_t kMaxLineBytes = 4096;  // of a line for people; what is longer ends in "..."

// The code point of a well-formed sequence (see Utf8Length).
uint32_t DecodeUtf8(std::string_view sequence);

// False for C0 and C1 controls, DEL, line and paragraph separators, and for what cannot be seen:
// marks of direction, joiners and spaces without width, tags.
bool IsPrintable(uint32_t code);

// One line of at most `most` bytes: a control character is a space, what cannot be seen or is no
// UTF-8 a question mark.
std::string OneLine(std::string_view text, size_t most = kMaxLineBytes);

// JSON's text with escapes for what it may hold as it is but no terminal should get: the same
// value.
std::string PrintableJson(std::string_view json);

}  // namespace base
