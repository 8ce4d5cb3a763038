// A marker is "---" or "..." at the start of a line, followed by space or the line's end; no YAML
// value may hold one there. Allowed are tab, line feed, carriage return before a line feed, and the
// printable characters of YAML 1.1, in UTF-8.
#include "manifests/yaml/yaml_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace manifests {
namespace {

using base::Mark;

bool IsMarker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

// The length of the character at `at` if YAML allows it there; 0 if not.
size_t AllowedLength(std::string_view text, size_t at) {
  const unsigned char c = static_cast<unsigned char>(text[at]);
  if (c >= 0x20 && c < 0x7F) return 1;
  if (c < 0x80) {
    const bool line_end = c == '\n' || (c == '\r' && text.substr(at + 1).starts_with('\n'));
    return line_end || c == '\t' ? 1 : 0;
  }
  const size_t length = base::Utf8Length(text.substr(at));
  const std::string_view sequence = text.substr(at, length);
  const bool c1 = c == 0xC2 && length == 2 && sequence[1] < '\xA0' && sequence[1] != '\x85';
  if (c1 || sequence == "\xEF\xBB\xBF" || sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF")
    return 0;
  return length;
}

}  // namespace

std::vector<Chunk> CutDocuments(std::string_view text) {
  std::vector<Chunk> chunks;
  Chunk chunk;
  bool content = false;  // the chunk has more than comments and directives
  uint32_t line_number = 1;
  const auto cut = [&](size_t end, size_t next, uint32_t next_line) {
    chunk.text = text.substr(chunk.start, end - chunk.start);
    if (content) chunks.push_back(chunk);
    chunk = Chunk{{}, next, next_line, 0};
    content = false;
  };
  for (size_t at = 0; at < text.size(); ++line_number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const size_t next = std::min(end + 1, text.size());
    if (IsMarker(line, "...")) {
      cut(at, next, line_number + 1);
    } else if (IsMarker(line, "---")) {
      if (content) cut(at, at, line_number);
      content = true;
    } else {
      const size_t first = line.find_first_not_of(" \t\r");
      if (content && line.starts_with('%') && chunk.stray_directive == 0)
        chunk.stray_directive = line_number;
      content |= first != std::string_view::npos && line[first] != '#' && line[0] != '%';
    }
    at = next;
  }
  cut(text.size(), text.size(), line_number);
  return chunks;
}

std::optional<BadText> FindBadText(std::string_view text) {
  uint32_t line = 1;
  size_t line_start = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t length = AllowedLength(text, at);
    if (length == 0) {
      const Mark mark{line, static_cast<uint32_t>(at - line_start + 1)};
      if (text[at] == '\r') {
        return BadText{at,
                       {mark,
                        "a carriage return without a line feed; save the file with Unix "
                        "line ends"}};
      }
      if (base::Utf8Length(text.substr(at)) == 0)
        return BadText{at, {mark, "bytes that are not UTF-8; save the file as UTF-8"}};
      return BadText{at,
                     {mark,
                      "a control character, which YAML does not allow; remove it, or "
                      "write an escape in double quotes"}};
    }
    at += length;
    if (text[at - 1] == '\n') {
      ++line;
      line_start = at;
    }
  }
  return std::nullopt;
}

}  // namespace manifests
