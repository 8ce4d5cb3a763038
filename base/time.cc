// Civil dates are computed with the proleptic Gregorian calendar (days since 1970-03-01 based
// eras), so that no time-zone database and no C library state is involved. Leap seconds do not
// exist in RFC 3339 as used here:
// ":60" is refused.
#include "base/time.h"

#include <array>
#include <cstdio>
#include <limits>

#include "base/timestamp.h"

namespace base {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

int64_t DaysFromCivil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const unsigned year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<int64_t>(day_of_era) - 719'468;
}

struct Civil {
  int64_t year;
  unsigned month, day, hour, minute, second;
  int64_t nanos;
};

Timestamp TimestampOf(int64_t nanos) {
  Timestamp time{nanos / 1'000'000'000, nanos % 1'000'000'000};
  if (time.nanos < 0) time.nanos += 1'000'000'000, --time.seconds;
  return time;
}

Civil CivilOf(const Timestamp& time) {
  const auto [seconds, fraction] = time;
  int64_t days = seconds / kSecondsPerDay;
  int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) rest += kSecondsPerDay, --days;
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const unsigned day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  civil.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  civil.year = static_cast<int64_t>(year_of_era) + era * 400 + (civil.month <= 2);
  civil.hour = static_cast<unsigned>(rest / 3600);
  civil.minute = static_cast<unsigned>(rest % 3600 / 60);
  civil.second = static_cast<unsigned>(rest % 60);
  civil.nanos = fraction;
  return civil;
}

unsigned DaysInMonth(int64_t year, unsigned month) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Takes `count` digits from the front of `text`.
bool TakeDigits(std::string_view& text, size_t count, int64_t& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// ".123" as nanoseconds; digits beyond the ninth are dropped. True if there is none.
bool TakeFraction(std::string_view& text, int64_t& nanos) {
  nanos = 0;
  if (!TakeChar(text, '.')) return true;
  int64_t scale = 100'000'000;
  size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    nanos += (text[0] - '0') * scale;
    scale /= 10;
    ++digits;
    text.remove_prefix(1);
  }
  return digits > 0;
}

bool TakeOffset(std::string_view& text, int64_t& seconds) {
  seconds = 0;
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return true;
  const bool minus = !text.empty() && text[0] == '-';
  if (!minus && (text.empty() || text[0] != '+')) return false;
  text.remove_prefix(1);
  int64_t hours, minutes;
  if (!TakeDigits(text, 2, hours) || !TakeChar(text, ':') || !TakeDigits(text, 2, minutes))
    return false;
  if (hours > 23 || minutes > 59) return false;
  seconds = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
  return true;
}

struct Unit {
  std::string_view name;
  int64_t nanos;
};
constexpr std::array kUnits = {Unit{"ns", 1},
                               Unit{"us", 1000},
                               Unit{"\xC2\xB5s", 1000},  // the micro sign, and the Greek letter
                               Unit{"\xCE\xBCs", 1000},
                               Unit{"ms", 1'000'000},
                               Unit{"s", 1'000'000'000},
                               Unit{"m", 60'000'000'000},
                               Unit{"h", 3'600'000'000'000}};

// The longest unit at the front of `text`, so that "ms" is not read as "m"; null if there is none.
const Unit* TakeUnit(std::string_view& text) {
  const Unit* found = nullptr;
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name) && (found == nullptr || unit.name.size() > found->name.size()))
      found = &unit;
  }
  if (found != nullptr) text.remove_prefix(found->name.size());
  return found;
}

constexpr int64_t kDecimalScale = 1'000'000'000'000'000;  // finer than a nanosecond of an hour

// "12", "12.5" or ".5": the whole part, and the fraction in parts of kDecimalScale. Digits beyond
// that are dropped.
bool TakeDecimal(std::string_view& text, int64_t& whole, int64_t& fraction) {
  const auto is_digit = [&] { return !text.empty() && text[0] >= '0' && text[0] <= '9'; };
  whole = fraction = 0;
  bool digits = false;
  for (; is_digit(); text.remove_prefix(1)) {
    digits = true;
    if (__builtin_mul_overflow(whole, 10, &whole) ||
        __builtin_add_overflow(whole, text[0] - '0', &whole))
      return false;
  }
  if (!TakeChar(text, '.')) return digits;
  for (int64_t scale = kDecimalScale / 10; is_digit(); text.remove_prefix(1)) {
    digits = true;
    fraction += (text[0] - '0') * scale;
    scale /= 10;
  }
  return digits;
}

}  // namespace

Result<Duration> Duration::Parse(std::string_view text) {
  const auto bad = [whole = std::string(text)] {
    return Status(Code::kInvalid,
                  "\"" + whole + "\" is no duration; write it like 30s, 5m or 1h30m");
  };
  bool minus = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    minus = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return Duration();
  if (text.empty()) return bad();
  const __int128 limit = static_cast<__int128>(std::numeric_limits<int64_t>::max()) + minus;
  __int128 total = 0;
  while (!text.empty()) {
    int64_t number, nanos;
    if (!TakeDecimal(text, number, nanos)) return bad();
    const Unit* unit = TakeUnit(text);
    if (unit == nullptr) return bad();
    total += static_cast<__int128>(number) * unit->nanos +
             static_cast<__int128>(nanos) * unit->nanos / kDecimalScale;
    if (total > limit) return bad();
  }
  return Duration::Nanos(static_cast<int64_t>(minus ? -total : total));
}

std::string Duration::ToString() const {
  if (nanos_ == 0) return "0s";
  uint64_t rest = nanos_ < 0 ? 0 - static_cast<uint64_t>(nanos_) : static_cast<uint64_t>(nanos_);
  std::string text = nanos_ < 0 ? "-" : "";
  const auto take = [&](uint64_t unit, const char* name) {
    if (rest >= unit) text += std::to_string(rest / unit) + name;
    rest %= unit;
  };
  take(3'600'000'000'000, "h");
  take(60'000'000'000, "m");
  take(1'000'000'000, "s");
  take(1'000'000, "ms");
  take(1000, "us");
  take(1, "ns");
  return text;
}

// The first second of the year 1, and the last of 9999.
constexpr int64_t kFirstSecond = -62'135'596'800, kLastSecond = 253'402'300'799;

Result<Timestamp> Timestamp::Parse(std::string_view text) {
  const auto bad = [whole = std::string(text)] {
    return Status(Code::kInvalid,
                  "\"" + whole + "\" is no RFC 3339 time; write it like 2026-11-22T23:48:00Z");
  };
  int64_t year, month, day, hour, minute, second, nanos, offset;
  if (!TakeDigits(text, 4, year) || !TakeChar(text, '-') || !TakeDigits(text, 2, month) ||
      !TakeChar(text, '-') || !TakeDigits(text, 2, day) ||
      !(TakeChar(text, 'T') || TakeChar(text, 't')) || !TakeDigits(text, 2, hour) ||
      !TakeChar(text, ':') || !TakeDigits(text, 2, minute) || !TakeChar(text, ':') ||
      !TakeDigits(text, 2, second) || !TakeFraction(text, nanos) || !TakeOffset(text, offset) ||
      !text.empty()) {
    return bad();
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<unsigned>(month)) ||
      hour > 23 || minute > 59 || second > 59) {
    return bad();
  }
  const int64_t days =
      DaysFromCivil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  const Timestamp time{days * kSecondsPerDay + hour * 3600 + minute * 60 + second - offset, nanos};
  return time.IsInRange() ? Result<Timestamp>(time) : bad();
}

bool Timestamp::IsInRange() const {
  return seconds >= kFirstSecond && seconds <= kLastSecond && nanos >= 0 && nanos < 1'000'000'000;
}

std::string Timestamp::ToString() const {
  const Civil c = CivilOf(*this);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02u:%02u:%02uZ", static_cast<int>(c.year),
                c.month, c.day, c.hour, c.minute, c.second);
  return buffer;
}

std::string Timestamp::ToMicroString() const {
  const Civil c = CivilOf(*this);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ",
                static_cast<int>(c.year), c.month, c.day, c.hour, c.minute, c.second,
                static_cast<unsigned>(c.nanos / 1000));
  return buffer;
}

Result<WallTime> WallTime::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(const Timestamp time, Timestamp::Parse(text));
  const std::string_view year = text.substr(0, 4);
  if (year >= "1678" && year <= "2261")
    return WallTime::FromNanos(time.seconds * 1'000'000'000 + time.nanos);
  return Status(Code::kInvalid, "\"" + std::string(text) +
                                    "\" is too far away; write a time of the years 1678 to 2261");
}

std::string WallTime::ToString() const { return TimestampOf(nanos_).ToString(); }
std::string WallTime::ToMicroString() const { return TimestampOf(nanos_).ToMicroString(); }

}  // namespace base
