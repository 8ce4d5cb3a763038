// Logs are written by whoever wrote the image: no byte of them may steer a terminal or break a
// line.
#include "gitsync/deploy/container_log.h"

#include <algorithm>

#include "gitsync/plan/history.h"

namespace gitsync {

std::vector<std::string> LastLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < kMaxLogLines) {
    const size_t end = text.rfind('\n');
    std::string line =
        OneLine(end == std::string_view::npos ? text : text.substr(end + 1), kMaxLogLineBytes);
    text = text.substr(0, end == std::string_view::npos ? 0 : end);
    line.erase(line.find_last_not_of(' ') + 1);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::string RecordedLines(const std::vector<std::string>& lines) {
  std::string text;
  const size_t first = lines.size() - std::min(lines.size(), kMaxRecordedLines);
  for (size_t i = first; i < lines.size(); ++i) text += (text.empty() ? "" : " | ") + lines[i];
  return text.empty() ? "" : "; log: " + OneLine(text, kMaxRecordedBytes);
}

}  // namespace gitsync
