// Words: y yes true on, n no false off (lower case, Capital, UPPER CASE) are booleans; ~, null and
// nothing are null. Numbers: an optional sign; 0x, 0o, 0b or a leading 0 (octal) and digits, or a
// decimal with fraction and exponent; underscores anywhere after the first character are left out.
// "08" is no octal number, so it is the decimal 8. Integers beyond 64 bits become doubles. Base 60
// and dates are strings.
#include "manifests/yaml/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "manifests/syntax.h"

namespace manifests {
namespace {

using base::Json;
using base::Result;

constexpr double kTwoTo63 = 9223372036854775808.0;

// True if `text` is `word` in lower case, Capital or UPPER CASE; `word` is lower case.
bool IsWord(std::string_view text, std::string_view word) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  if (text == word) return true;
  if (text.size() != word.size() || text.empty() || text[0] != upper(word[0])) return false;
  if (text.substr(1) == word.substr(1)) return true;
  return std::equal(text.begin(), text.end(), word.begin(),
                    [&](char a, char b) { return a == upper(b); });
}

std::optional<bool> ReadBool(std::string_view text) {
  for (const char* word : {"y", "yes", "true", "on"}) {
    if (IsWord(text, word)) return true;
  }
  for (const char* word : {"n", "no", "false", "off"}) {
    if (IsWord(text, word)) return false;
  }
  return std::nullopt;
}

bool IsNull(std::string_view text) { return text.empty() || text == "~" || IsWord(text, "null"); }

bool IsNotFinite(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF";
}

// Digits of one base that fill 64 bits at most, with a sign; nothing if `text` is not that.
std::optional<Json> ReadInt(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  int radix = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'x') radix = 16;
  if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'o') radix = 8;
  if (text.size() > 2 && text[0] == '0' && (text[1] | 32) == 'b') radix = 2;
  if (radix != 10) {
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    radix = 8;
  }
  uint64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, radix);
  if (error != std::errc() || end != last) return std::nullopt;
  constexpr uint64_t kSignBit = 1ull << 63;
  if (minus && value == kSignBit) return Json(static_cast<int64_t>(kSignBit));
  if (value >= kSignBit)
    return Json(minus ? -static_cast<double>(value) : static_cast<double>(value));
  return Json(minus ? -static_cast<int64_t>(value) : static_cast<int64_t>(value));
}

// True for [+-] digits [. digits] [e [+-] digits], where either digits before or after '.' may
// lack.
bool LooksDecimal(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    return at - start;
  };
  const auto take = [&](std::string_view any) {
    const bool found = at < text.size() && any.find(text[at]) != std::string_view::npos;
    at += found;
    return found;
  };
  take("+-");
  const size_t whole = digits();
  const size_t fraction = take(".") ? digits() : 0;
  if (whole + fraction == 0) return false;
  if (take("eE")) {
    take("+-");
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::optional<double> ReadDecimal(std::string_view text) {
  if (!LooksDecimal(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc()) return value;
  if (text.find_first_of("eE") != std::string_view::npos &&
      text.find("-", text.find_first_of("eE")) != std::string_view::npos) {
    return 0.0;  // next to nothing
  }
  return std::nullopt;  // beyond a double: it stays a string
}

std::optional<Json> ReadNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '.') {
    const std::optional<double> value = ReadDecimal(text);
    return value ? std::optional(WithIntegralAsInt(*value)) : std::nullopt;
  }
  if (!IsDigit(text[0]) && text[0] != '+' && text[0] != '-') return std::nullopt;
  std::string digits(text);
  std::erase(digits, '_');
  if (std::optional<Json> value = ReadInt(digits)) return value;
  const std::optional<double> value = ReadDecimal(digits);
  return value ? std::optional(WithIntegralAsInt(*value)) : std::nullopt;
}

// [+-] digits (: two digits at most)+ [. digits]: base 60 for a YAML 1.1 reader.
bool LooksBase60(std::string_view text) {
  return !text.empty() && (IsDigit(text[0]) || text[0] == '+' || text[0] == '-') &&
         text.find(':') != std::string_view::npos &&
         std::all_of(text.begin() + 1, text.end(),
                     [](char c) { return IsDigit(c) || c == ':' || c == '.' || c == '_'; });
}

base::Status NotA(std::string_view text, std::string_view what) {
  return base::Status(base::Code::kInvalid, '"' + std::string(text) + "\" is not " +
                                                std::string(what) +
                                                "; correct it or remove its tag");
}

}  // namespace

Json WithIntegralAsInt(double value) {
  if (value >= -kTwoTo63 && value < kTwoTo63) {
    const int64_t integer = static_cast<int64_t>(value);
    if (static_cast<double>(integer) == value) return Json(integer);
  }
  return Json(value);
}

Result<Json> ReadPlainScalar(std::string_view text) {
  if (IsNull(text)) return Json();
  if (const std::optional<bool> value = ReadBool(text)) return Json(*value);
  if (IsNotFinite(text)) {
    return base::Status(base::Code::kInvalid, std::string(text) +
                                                  " has no place in an object: write a number, or "
                                                  "quote it if it is a text");
  }
  if (std::optional<Json> value = ReadNumber(text)) return *std::move(value);
  return Json(text);
}

Result<Json> ReadTaggedScalar(std::string_view tag, std::string_view text) {
  if (tag == "str" || tag == "timestamp") return Json(text);
  if (tag == "null") return IsNull(text) ? Result<Json>(Json()) : NotA(text, "null");
  if (tag == "bool") {
    const std::optional<bool> value = ReadBool(text);
    return value ? Result<Json>(Json(*value)) : NotA(text, "a boolean");
  }
  if (tag == "int" || tag == "float") {
    const std::optional<Json> value = ReadNumber(text);
    const bool fits = value && (tag == "float" || value->IsInt());
    return fits ? Result<Json>(*value) : NotA(text, tag == "int" ? "an integer" : "a number");
  }
  return base::Status(base::Code::kInvalid, "the tag !!" + std::string(tag) +
                                                " is not supported; remove it, or write the value "
                                                "as a string");
}

bool ReadsAsString(std::string_view text) {
  return !IsNull(text) && !ReadBool(text) && !IsNotFinite(text) && !ReadNumber(text) &&
         !LooksBase60(text) && text != "<<" && text != "=";
}

}  // namespace manifests
