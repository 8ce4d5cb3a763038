#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace base {
namespace {

std::string ReadTime(std::string_view text) {
  const Result<Timestamp> time = Timestamp::Parse(text);
  return time.ok() ? time->ToMicroString() : "error";
}

TEST(TimestampTest, AllYearsOfFourDigitsReadBack) {
  for (const char* text : {"0001-01-01T00:00:00.000000Z", "0001-01-01T00:00:02.000001Z",
                           "0400-02-29T12:00:00.000000Z", "1582-10-15T00:00:00.000000Z",
                           "1970-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"}) {
    EXPECT_EQ(ReadTime(text), text);
  }
  EXPECT_EQ(Timestamp::Parse("0001-01-01T00:00:02Z")->ToString(), "0001-01-01T00:00:02Z");
}

TEST(TimestampTest, RefusesWhatIsOutsideAndWhatIsNoTime) {
  for (const char* text :
       {"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z", "0001-02-29T00:00:00Z", "0001-01-01"}) {
    EXPECT_EQ(ReadTime(text), "error") << text;
  }
  EXPECT_FALSE((Timestamp{-62'135'596'801, 0}).IsInRange());
  EXPECT_FALSE((Timestamp{0, 1'000'000'000}).IsInRange());
}

}  // namespace
}  // namespace base
