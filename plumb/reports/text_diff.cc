// The rule: the longest common subsequence of lines stays, what is only in one text is removed or
// added; changes that are near each other share a hunk, and each hunk says in which field it is,
// which its indentation tells.
#include "plumb/reports/text_diff.h"

#include <algorithm>
#include <cstdint>

namespace plumb {
namespace {

using Kind = DiffLine::Kind;
using Lines = std::vector<std::string_view>;

Lines SplitLines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Every line of both texts, in order, with what becomes of it.
std::vector<DiffLine> Compare(const Lines& before, const Lines& after) {
  size_t start = 0;
  while (start < before.size() && start < after.size() && before[start] == after[start]) ++start;
  size_t tail = 0;
  while (tail < before.size() - start && tail < after.size() - start &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const size_t rows = before.size() - start - tail, columns = after.size() - start - tail;

  std::vector<DiffLine> lines;
  const auto add = [&](Kind kind, std::string_view text) {
    lines.push_back({kind, std::string(text)});
  };
  for (size_t i = 0; i < start; ++i) add(Kind::kSame, before[i]);
  // common[i][j]: equal lines that before[i..] and after[j..] have at most.
  const bool small = (rows + 1) * (columns + 1) <= kMaxDiffCells;
  std::vector<uint32_t> common(small ? (rows + 1) * (columns + 1) : 0);
  const auto at = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
  for (size_t i = small ? rows : 0; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      at(i, j) = before[start + i] == after[start + j] ? at(i + 1, j + 1) + 1
                                                       : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (small && i < rows && j < columns && before[start + i] == after[start + j]) {
      add(Kind::kSame, before[start + i]);
      ++i, ++j;
    } else if (i < rows && (j == columns || !small || at(i + 1, j) >= at(i, j + 1))) {
      add(Kind::kRemoved, before[start + i++]);
    } else {
      add(Kind::kAdded, after[start + j++]);
    }
  }
  for (size_t k = before.size() - tail; k < before.size(); ++k) add(Kind::kSame, before[k]);
  return lines;
}

// Where a line's field or value begins; of an empty line nowhere.
size_t Indent(std::string_view line) { return line.find_first_not_of(" -"); }

// The fields that the line at `index` is in: "spec.template.spec.containers". In block style the
// nearest line above that begins further left is the field around.
std::string PlaceOf(const std::vector<DiffLine>& lines, size_t index) {
  std::string place;
  size_t indent = Indent(lines[index].text);
  for (size_t i = index; i-- > 0 && indent > 0;) {
    const std::string_view line = lines[i].text;
    const size_t here = Indent(line);
    if (here >= indent) continue;
    indent = here;
    const std::string_view field = line.substr(here, line.find(':', here) - here);
    place = std::string(field) + (place.empty() ? "" : "." + place);
  }
  return place;
}

}  // namespace

std::vector<DiffLine> DiffYaml(std::string_view before, std::string_view after) {
  const std::vector<DiffLine> all = Compare(SplitLines(before), SplitLines(after));
  std::vector<bool> shown(all.size(), false);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == Kind::kSame) continue;
    const size_t first = i < kDiffContext ? 0 : i - kDiffContext;
    for (size_t k = first; k <= i + kDiffContext && k < all.size(); ++k) shown[k] = true;
  }
  std::vector<DiffLine> hunks;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!shown[i]) continue;
    if (i > 0 && !shown[i - 1]) hunks.push_back({Kind::kPlace, PlaceOf(all, i)});
    hunks.push_back(all[i]);
  }
  return hunks;
}

}  // namespace plumb
