// SHA-1 (FIPS 180-4), so that the fake names objects as git does. Not for security.
#pragma once

#include <string>
#include <string_view>

namespace gitsync {

std::string Sha1Hex(std::string_view data);    // 40 digits
std::string Sha1Bytes(std::string_view data);  // 20 bytes

}  // namespace gitsync
