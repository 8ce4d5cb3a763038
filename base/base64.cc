#include "base/base64.h"

#include <cstdint>

namespace base {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string EncodeBase64(std::string_view data, std::string_view alphabet, bool pad) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (size_t i = 0; i < data.size(); i += 3) {
    size_t count = std::min<size_t>(3, data.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<uint8_t>(data[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      if (j <= count) {
        text += alphabet[group >> (18 - 6 * j) & 63];
      } else if (pad) {
        text += '=';
      }
    }
  }
  return text;
}

}  // namespace

std::string Base64Encode(std::string_view data) { return EncodeBase64(data, kBase64, true); }

std::string Base64UrlEncode(std::string_view data) {
  std::string alphabet(kBase64.substr(0, 62));
  return EncodeBase64(data, alphabet + "-_", false);
}

Result<std::string> Base64Decode(std::string_view text) {
  const Status bad(Code::kInvalid, "the text is not base64");
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (text.size() % 4 != 0) return bad;
  std::string data;
  data.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int bit_count = 0;
  for (char c : text.substr(0, text.size() - padding)) {
    size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) return bad;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    data += static_cast<char>(bits >> bit_count);
    bits &= (1u << bit_count) - 1;
  }
  // Left-over bits must be zero, so that no two texts stand for the same bytes.
  if (bits != 0) return bad;
  return data;
}

}  // namespace base
