#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/rng.h"

namespace base {
namespace {

std::string Canonical(std::string_view text) {
  const Result<Duration> parsed = Duration::Parse(text);
  return parsed.ok() ? parsed->ToString() : "error";
}

TEST(DurationTest, ReadsAndPrints) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0s"},
      {"0s", "0s"},
      {"-0", "0s"},
      {"30s", "30s"},
      {"5m", "5m"},
      {"90s", "1m30s"},
      {"1h30m", "1h30m"},
      {"300ms", "300ms"},
      {"1.5h", "1h30m"},
      {".5s", "500ms"},
      {"1.s", "1s"},
      {"1us", "1us"},
      {"1\xC2\xB5s", "1us"},
      {"1\xCE\xBCs", "1us"},
      {"1ns", "1ns"},
      {"0.9ns", "0s"},
      {"-1m30s", "-1m30s"},
      {"+2h", "2h"},
      {"1h1m1s1ms1us1ns", "1h1m1s1ms1us1ns"},
      {"100000h1ns", "100000h1ns"},
      {"0.000000000001h", "3ns"},
      {"2562047h47m16s854ms775us807ns", "2562047h47m16s854ms775us807ns"},
      {"-2562047h47m16.854775808s", "-2562047h47m16s854ms775us808ns"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Canonical(text), expected) << text;
}

TEST(DurationTest, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "-", "+", "s", "5", "5 s", " 5s", "5s ", "1x", ".s", "1..5s", "1e3s", "--1s", "5sm",
        "2562048h", "9223372036854775808ns", "99999999999999999999s", "1m-30s"}) {
    EXPECT_EQ(Canonical(text), "error") << text;
  }
  EXPECT_EQ(Duration::Parse("5").status().ToString(),
            "Invalid: \"5\" is no duration; write it like 30s, 5m or 1h30m");
}

TEST(DurationTest, EveryDurationReadsBack) {
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const Duration duration = Duration::Nanos(static_cast<int64_t>(rng.Next()) >> rng.Below(64));
    const Result<Duration> read = Duration::Parse(duration.ToString());
    ASSERT_TRUE(read.ok()) << duration.ToString();
    ASSERT_EQ(read->nanos(), duration.nanos()) << duration.ToString();
  }
  for (const int64_t nanos :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(Duration::Parse(Duration::Nanos(nanos).ToString())->nanos(), nanos);
  }
}

TEST(DurationTest, Arithmetic) {
  EXPECT_EQ((Duration::Minutes(1) + Duration::Seconds(30)).ToString(), "1m30s");
  EXPECT_EQ((Duration::Hours(1) - Duration::Minutes(90)).ToString(), "-30m");
  EXPECT_EQ((Duration::Seconds(10) * 3 / 4).ToString(), "7s500ms");
  EXPECT_LT(Duration::Millis(999), Duration::Seconds(1));
  EXPECT_EQ(Duration::Millis(1500).seconds(), 1);
  EXPECT_DOUBLE_EQ(Duration::Millis(1500).ToSecondsDouble(), 1.5);
}

std::string Utc(std::string_view text) {
  const Result<WallTime> parsed = WallTime::Parse(text);
  return parsed.ok() ? parsed->ToMicroString() : "error";
}

TEST(WallTimeTest, ReadsRfc3339) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"2026-11-22T23:48:00Z", "2026-11-22T23:48:00.000000Z"},
      {"2026-11-22t23:48:00z", "2026-11-22T23:48:00.000000Z"},
      {"2026-11-22T23:48:00.5Z", "2026-11-22T23:48:00.500000Z"},
      {"2026-11-22T23:48:00.123456789123Z", "2026-11-22T23:48:00.123456Z"},
      {"2026-11-22T23:48:00+02:30", "2026-11-22T21:18:00.000000Z"},
      {"2026-12-31T23:48:00-01:00", "2027-01-01T00:48:00.000000Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
      {"1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900000Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
      {"1678-01-01T00:00:00+23:59", "1677-12-31T00:01:00.000000Z"},
      {"2261-12-31T23:59:59-23:59", "2262-01-01T23:58:59.000000Z"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Utc(text), expected) << text;
}

TEST(WallTimeTest, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "2026-11-22",
                           "2026-11-22T23:48:00",
                           "2026-11-22 23:48:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:60Z",
                           "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00Zx",
                           "2026-01-01T00:00:00+24:00",
                           "2026-01-01T00:00:00+0100",
                           "26-01-01T00:00:00Z",
                           "-026-01-01T00:00:00Z",
                           "1677-01-01T00:00:00Z",
                           "2262-01-01T00:00:00Z"}) {
    EXPECT_EQ(Utc(text), "error") << text;
  }
}

TEST(WallTimeTest, EveryTimeReadsBack) {
  Rng rng(2);
  const int64_t first = WallTime::Parse("1678-01-01T00:00:00Z")->seconds();
  const int64_t last = WallTime::Parse("2261-12-31T23:59:59Z")->seconds();
  for (int i = 0; i < 20'000; ++i) {
    const WallTime time = WallTime::FromSeconds(
        first + static_cast<int64_t>(rng.Below(static_cast<uint64_t>(last - first))));
    ASSERT_EQ(WallTime::Parse(time.ToString())->nanos(), time.nanos()) << time.ToString();
    const WallTime micro = time + Duration::Micros(static_cast<int64_t>(rng.Below(1'000'000)));
    ASSERT_EQ(WallTime::Parse(micro.ToMicroString())->nanos(), micro.nanos())
        << micro.ToMicroString();
  }
}

TEST(WallTimeTest, DaysFollowEachOther) {
  // Four hundred years hold every kind of year.
  WallTime day = *WallTime::Parse("1700-01-01T00:00:00Z");
  std::string previous;
  for (int i = 0; i < 146'097; ++i) {
    const std::string text = day.ToString();
    ASSERT_LT(previous, text);
    previous = text;
    day = day + Duration::Hours(24);
  }
  EXPECT_EQ(day.ToString(), "2100-01-01T00:00:00Z");
}

TEST(WallTimeTest, DifferencesAreDurations) {
  const WallTime a = *WallTime::Parse("2026-01-01T00:00:00Z");
  const WallTime b = *WallTime::Parse("2026-01-02T00:00:01Z");
  EXPECT_EQ((b - a).ToString(), "24h1s");
  EXPECT_EQ((a + Duration::Minutes(1)).ToString(), "2026-01-01T00:01:00Z");
  EXPECT_LT(a, b);
  EXPECT_TRUE(WallTime().IsZero());
  const MonotonicTime m = MonotonicTime::FromNanos(5);
  EXPECT_EQ((m + Duration::Nanos(3) - m).nanos(), 3);
}

}  // namespace
}  // namespace base
