// Base64, as RFC 4648 has it. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

std::string Base64Encode(std::string_view data);     // with padding
std::string Base64UrlEncode(std::string_view data);  // its own alphabet, without padding

// What a text may look like. Padding is always required.
enum class Base64Form {
  kStrict,   // no two texts stand for the same bytes
  kLenient,  // as Go reads it: line ends are skipped, left-over bits are ignored
};
// kInvalid for anything else.
Result<std::string> Base64Decode(std::string_view text, Base64Form form = Base64Form::kStrict);

}  // namespace base
