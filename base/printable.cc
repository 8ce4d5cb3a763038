// Colour is no exception: ESC [ 8 m hides what follows, and a line of ours needs none from others.
// Marks of direction (U+202E and its like) reorder what a reader sees; what has no width, and tags,
// hide text in text.
#include "base/printable.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace base {
namespace {

struct Range {
  uint32_t first, last;
};
constexpr Range kControls[] = {{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x2029}};
constexpr Range kUnseen[] = {
    {0xAD, 0xAD},     {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

template <size_t kCount>
bool IsIn(const Range (&ranges)[kCount], uint32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

// What stands for the sequence at the front of `text`, of `length` bytes (0: none).
std::string_view Shown(std::string_view text, size_t length) {
  if (length == 0) return "?";
  const uint32_t code = DecodeUtf8(text.substr(0, length));
  if (IsIn(kControls, code)) return " ";
  return IsIn(kUnseen, code) ? "?" : text.substr(0, length);
}

// Ends the line within `most` bytes, never in the middle of a character.
std::string Cut(std::string line, size_t most) {
  constexpr std::string_view kMore = "...";
  while (line.size() + kMore.size() > most && !line.empty()) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) {
      line.pop_back();
    }
    if (!line.empty()) line.pop_back();
  }
  return line + std::string(kMore);
}

void AppendEscape(uint32_t code, std::string& out) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  if (code > 0xFFFF) {  // two halves, as in UTF-16
    AppendEscape(0xD800 + ((code - 0x10000) >> 10), out);
    code = 0xDC00 + ((code - 0x10000) & 0x3FF);
  }
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[code >> shift & 15];
}

}  // namespace

uint32_t DecodeUtf8(std::string_view sequence) {
  uint32_t code = static_cast<unsigned char>(sequence.front());
  if (sequence.size() > 1) code &= 0x7Fu >> sequence.size();
  for (const char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

bool IsPrintable(uint32_t code) { return !IsIn(kControls, code) && !IsIn(kUnseen, code); }

std::string OneLine(std::string_view text, size_t most) {
  std::string line;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view shown = Shown(text, length);
    if (line.size() + shown.size() > most) return Cut(std::move(line), most);
    line += shown;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return line;
}

std::string PrintableJson(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    const size_t length = std::max<size_t>(Utf8Length(json), 1);
    const uint32_t code = DecodeUtf8(json.substr(0, length));
    if (code < 0x7F || IsPrintable(code)) {
      out += json.substr(0, length);
    } else {
      AppendEscape(code, out);
    }
    json.remove_prefix(length);
  }
  return out;
}

}  // namespace base
