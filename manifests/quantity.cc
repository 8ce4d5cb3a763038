// A quantity is a decimal number and a suffix: n u m, none, k M G T P E (powers of 1000), Ki Mi Gi
// Ti Pi Ei (powers of 1024), or an exponent (e3, E-2). "1E" is an exa, "1E2" a hundred.
//
// Parsing works on decimal digits, so that no fraction is ever approximated: a power of ten moves
// the point, a power of 1024 multiplies the digits. What is finer than a thousandth is rounded away
// from zero; what is larger than an int64 of units becomes that, as in Kubernetes.
#include "manifests/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "manifests/syntax.h"

namespace manifests {
namespace {

constexpr int64_t kMaxUnits = std::numeric_limits<int64_t>::max();
constexpr __int128 kMaxMilli = static_cast<__int128>(kMaxUnits) * 1000;
constexpr size_t kMaxMilliDigits = 22;  // digits of kMaxMilli
constexpr int kMaxExponent = 1000;      // beyond it any number is too large or next to nothing

struct Suffix {
  std::string_view text;
  int exponent10;    // the number is multiplied by 10 to the power of this
  int exponent1024;  // and by 1024 to the power of this
};
constexpr std::array kSuffixes = {
    Suffix{"", 0, 0},   Suffix{"m", -3, 0}, Suffix{"Ki", 0, 1}, Suffix{"Mi", 0, 2},
    Suffix{"Gi", 0, 3}, Suffix{"Ti", 0, 4}, Suffix{"Pi", 0, 5}, Suffix{"Ei", 0, 6},
    Suffix{"k", 3, 0},  Suffix{"M", 6, 0},  Suffix{"G", 9, 0},  Suffix{"T", 12, 0},
    Suffix{"P", 15, 0}, Suffix{"E", 18, 0}, Suffix{"u", -6, 0}, Suffix{"n", -9, 0}};

constexpr std::array<std::string_view, 7> kBinarySuffixes = {"",   "Ki", "Mi", "Gi",
                                                             "Ti", "Pi", "Ei"};

// The suffix that `text` is; nothing if it is none.
std::optional<Suffix> ReadSuffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool minus = text[0] == '-';
  if (minus || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return std::nullopt;
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || exponent > kMaxExponent) exponent = kMaxExponent;
  return Suffix{"", minus ? -exponent : exponent, 0};
}

void MultiplyBy1024(std::string& digits) {
  unsigned carry = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    carry += static_cast<unsigned>(digits[i] - '0') * 1024;
    digits[i] = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  if (carry > 0) digits.insert(0, std::to_string(carry));
}

// 0.DIGITS times 10 to the power of `point`, as an integer rounded up, at most kMaxMilli.
__int128 RoundedUp(std::string_view digits, int64_t point) {
  const size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.remove_prefix(zeros);
  point -= static_cast<int64_t>(zeros);
  if (digits.empty()) return 0;
  if (point > static_cast<int64_t>(kMaxMilliDigits)) return kMaxMilli;
  __int128 whole = 0;
  for (int64_t i = 0; i < point; ++i) {
    whole *= 10;
    if (static_cast<size_t>(i) < digits.size()) whole += digits[static_cast<size_t>(i)] - '0';
  }
  const size_t used = point > 0 ? static_cast<size_t>(point) : 0;
  const bool rest =
      used < digits.size() && digits.find_first_not_of('0', used) != std::string_view::npos;
  return std::min(whole + (rest ? 1 : 0), kMaxMilli);
}

base::Status BadQuantity(std::string_view text) {
  constexpr size_t kMaxShown = 80;
  std::string shown(text.substr(0, kMaxShown));
  if (shown.size() < text.size()) shown += "...";
  return base::Status(base::Code::kInvalid,
                      '"' + shown +
                          "\" is not a quantity; write a number, then nothing, m, k, M, G, T, P, "
                          "E, Ki, Mi, Gi, Ti, Pi or Ei, like 500m, 2 or 1.5Gi");
}

// "17", negative too; std::to_string has no __int128.
std::string Decimal(__int128 value) {
  const bool minus = value < 0;
  std::string text;
  do {
    const int digit = static_cast<int>(value % 10);
    text += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  if (minus) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

int64_t Saturated(__int128 value) {
  constexpr __int128 kMin = std::numeric_limits<int64_t>::min();
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(value, kMin, kMax));
}

}  // namespace

base::Result<Quantity> Quantity::Parse(std::string_view text) {
  std::string_view rest = text;
  const bool minus = rest.starts_with('-');
  if (minus || rest.starts_with('+')) rest.remove_prefix(1);
  size_t length = 0;
  while (length < rest.size() && IsDigit(rest[length])) ++length;
  std::string digits(rest.substr(0, length));
  int64_t point = static_cast<int64_t>(length);
  if (length < rest.size() && rest[length] == '.') {
    const size_t start = ++length;
    while (length < rest.size() && IsDigit(rest[length])) ++length;
    digits += rest.substr(start, length - start);
  }
  const std::optional<Suffix> suffix = ReadSuffix(rest.substr(length));
  if (digits.empty() || !suffix) return BadQuantity(text);
  for (int i = 0; i < suffix->exponent1024; ++i) {
    const size_t before = digits.size();
    MultiplyBy1024(digits);
    point += static_cast<int64_t>(digits.size() - before);
  }
  const __int128 milli = RoundedUp(digits, point + suffix->exponent10 + 3);
  return Quantity(minus ? -milli : milli);
}

Quantity Quantity::Of(base::Value value) {
  const bool number =
      value.type() == base::Json::Type::kInt || value.type() == base::Json::Type::kDouble;
  const base::Result<Quantity> parsed = Parse(number ? value.Bytes() : value.AsString());
  return parsed.ok() ? *parsed : Quantity();
}

int64_t Quantity::Value() const {
  const __int128 rest = milli_ % 1000;
  return Saturated(milli_ / 1000 + (rest > 0) - (rest < 0));
}

int64_t Quantity::MilliValue() const { return Saturated(milli_); }

std::string Quantity::ToString(bool binary) const {
  if (milli_ % 1000 != 0) return Decimal(milli_) + "m";
  __int128 units = milli_ / 1000;
  size_t suffix = 0;
  while (binary && units != 0 && units % 1024 == 0 && suffix + 1 < kBinarySuffixes.size()) {
    units /= 1024;
    ++suffix;
  }
  return Decimal(units) + std::string(kBinarySuffixes[suffix]);
}

std::string Quantity::ToHuman() const {
  const __int128 magnitude = milli_ < 0 ? -milli_ : milli_;
  if (magnitude < 1024 * 1000) return ToString();
  // One decimal, rounded to the nearest; what rounds to 1024 takes the next suffix.
  __int128 scale = 1000;
  size_t suffix = 0;
  const auto tenths = [&] { return (magnitude * 10 + scale / 2) / scale; };
  while (tenths() >= 10240 && suffix + 1 < kBinarySuffixes.size()) {
    scale *= 1024;
    ++suffix;
  }
  std::string text = milli_ < 0 ? "-" : "";
  text += Decimal(tenths() / 10);
  if (tenths() % 10 != 0) text += "." + Decimal(tenths() % 10);
  return text + std::string(kBinarySuffixes[suffix]);
}

bool SameQuantity(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const base::Result<Quantity> first = Quantity::Parse(a);
  const base::Result<Quantity> second = Quantity::Parse(b);
  return first.ok() && second.ok() && *first == *second;
}

}  // namespace manifests
