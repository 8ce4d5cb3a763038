// What yaml-cpp's messages mean for people: what is wrong, and what to do. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace manifests {

// Our sentence for a message of the parser; for an unknown one, that with a general advice.
std::string SentenceFor(std::string_view message);

}  // namespace manifests
