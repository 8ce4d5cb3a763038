// Base64 (RFC 4648). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

std::string Base64Encode(std::string_view data);     // with padding
std::string Base64UrlEncode(std::string_view data);  // without
// RFC 4648, padding required, no line breaks. kInvalid for anything else.
Result<std::string> Base64Decode(std::string_view text);

}  // namespace base
