// What messages are signed with that both ends have a key for. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace base {

std::string HmacSha256(std::string_view key, std::string_view data);  // 32 bytes; RFC 2104

}  // namespace base
