#include "base/words.h"

#include <algorithm>

namespace base {

Json ListOf(const std::vector<std::string>& words) {
  Json list = Json::MakeArray();
  for (const std::string& word : words) list.Append(word);
  return list;
}

std::vector<std::string> WordsOf(const Json& list) {
  std::vector<std::string> words;
  for (const Json& word : list.Elements()) words.emplace_back(word.AsString());
  return words;
}

std::string LinesOf(const std::vector<std::string>& words) {
  std::string lines;
  for (const std::string& word : words) lines += word + "\n";
  return lines;
}

std::vector<std::string> WordsOfLines(std::string_view lines) {
  std::vector<std::string> words;
  while (!lines.empty()) {
    words.emplace_back(lines.substr(0, lines.find('\n')));
    lines.remove_prefix(std::min(words.back().size() + 1, lines.size()));
  }
  return words;
}

}  // namespace base
