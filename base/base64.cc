#include "base/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace base {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> DigitsOf(std::string_view alphabet) {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}
constexpr std::array<uint8_t, 256> kDigits = DigitsOf(kStandard);

std::string Encode(std::string_view data, std::string_view alphabet, bool pad) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (size_t i = 0; i < data.size(); i += 3) {
    const size_t count = std::min<size_t>(3, data.size() - i);
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

std::string Base64Encode(std::string_view data) { return Encode(data, kStandard, true); }

std::string Base64UrlEncode(std::string_view data) { return Encode(data, kUrl, false); }

Result<std::string> Base64Decode(std::string_view text, Base64Form form) {
  const bool strict = form == Base64Form::kStrict;
  std::string data;
  data.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  size_t digits = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (!strict && (c == '\n' || c == '\r')) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const uint8_t digit = kDigits[static_cast<uint8_t>(c)];
    if (digit == kNoDigit || padding != 0) return {Code::kInvalid, "the text is not base64"};
    bits = bits << 6 | digit;
    if (const size_t left = ++digits % 4; left != 1) {
      const size_t spare = left == 0 ? 0 : 8 - 2 * left;  // 4 after two digits, 2 after three
      data += static_cast<char>(bits >> spare);
      bits &= (1u << spare) - 1;
    }
  }
  const bool whole = (digits + padding) % 4 == 0 && padding <= 2 && digits % 4 != 1;
  if (!whole || (strict && bits != 0)) return {Code::kInvalid, "the text is not base64"};
  return data;
}

}  // namespace base
