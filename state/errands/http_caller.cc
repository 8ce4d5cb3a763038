#include "state/errands/http_caller.h"

#include <algorithm>

namespace state {

std::string_view HttpAnswer::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : found->second;
}

std::string OriginOf(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const size_t end = std::min(url.find_first_of("/?#", scheme.size()), url.size());
    return end == scheme.size() ? std::string() : std::string(url.substr(0, end));
  }
  return "";
}

}  // namespace state
