// SHA-1 (FIPS 180-4): what WebSocket handshakes and object names of Git are made with. Not for
// security. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace base {

std::string Sha1Hex(std::string_view data);    // 40 digits
std::string Sha1Bytes(std::string_view data);  // 20 bytes

}  // namespace base
