// The distance is Damerau's with adjacent swaps ("imgae"), over three rows of the usual table;
// words whose lengths alone differ by more than the limit are skipped.
#include "manifests/suggest.h"

#include <algorithm>
#include <cstddef>

namespace manifests {
namespace {

constexpr size_t kMaxWord = 128;  // bytes; what is longer was not misspelt but is something else

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameButCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view Closest(std::string_view word, const std::vector<std::string_view>& words) {
  for (const std::string_view candidate : words) {
    if (SameButCase(word, candidate)) return candidate;
  }
  if (word.size() > kMaxWord) return {};
  std::string_view closest;
  size_t best = (word.size() <= 3 ? 1 : kMaxMisspellings) + 1;
  for (const std::string_view candidate : words) {
    const size_t difference = candidate.size() > word.size() ? candidate.size() - word.size()
                                                             : word.size() - candidate.size();
    if (difference >= best) continue;
    const size_t distance = Distance(word, candidate);
    if (distance >= best) continue;
    best = distance;
    closest = candidate;
  }
  return closest;
}

}  // namespace manifests
