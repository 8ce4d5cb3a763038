// Two mistakes are of one kind if they have the same words, whichever element of a list they are
// in.
#include "gitsync/source/source_error.h"

#include <algorithm>
#include <map>

namespace gitsync {
namespace {

// "spec.ports[3].name: ..." as "spec.ports[].name: ...".
std::string KindOf(const std::string& message) {
  std::string kind;
  for (size_t i = 0; i < message.size(); ++i) {
    kind += message[i];
    if (message[i] != '[') continue;
    const size_t end = std::min(message.find_first_not_of("0123456789", i + 1), message.size());
    if (end < message.size() && message[end] == ']') i = end - 1;
  }
  return kind;
}

}  // namespace

std::vector<std::string> LinesOf(const std::vector<SourceError>& errors) {
  std::map<std::string, size_t> places;
  for (const SourceError& error : errors) ++places[KindOf(error.message)];
  std::vector<std::string> lines;
  for (const SourceError& error : errors) {
    const auto kind = places.find(KindOf(error.message));
    if (kind == places.end()) continue;  // told
    std::string line = error.ToString();
    if (kind->second > 1) {
      line += " (and at " + std::to_string(kind->second - 1) + " more " +
              (kind->second == 2 ? "place" : "places") + ")";
    }
    lines.push_back(std::move(line));
    places.erase(kind);
  }
  return lines;
}

}  // namespace gitsync
