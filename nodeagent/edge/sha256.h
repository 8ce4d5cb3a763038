// SHA-256 of some bytes, in lower-case hexadecimal. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace nodeagent {

std::string Sha256(std::string_view bytes);

}  // namespace nodeagent
