#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace base {
namespace {

TEST(Printable, NothingOfALineSteersATerminal) {
  EXPECT_EQ(OneLine("a\tb\nc\r\x07\x7f"), "a b c   ");
  EXPECT_EQ(OneLine("\x1b[2J\x1b]0;t\x07 \x1b[8mhidden\x1b[0m"), " [2J ]0;t   [8mhidden [0m");
  EXPECT_EQ(OneLine("\xc2\x9b"
                    "8m \xc2\x85 \xe2\x80\xa8"),
            " 8m    ");  // CSI, NEL, LS
  EXPECT_EQ(OneLine("a\xffz \xc3\xa9 \xed\xa0\x80"), "a?z \xc3\xa9 ???");
}

TEST(Printable, NothingOfALineHidesOrReorders) {
  for (const std::string_view unseen :
       {"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f", "\xd8\x9c", "\xe2\x80\x8b", "\xef\xbb\xbf",
        "\xf3\xa0\x81\x81", "\xc2\xad"}) {
    EXPECT_EQ(OneLine("a" + std::string(unseen) + "b"), "a?b");
  }
  EXPECT_EQ(OneLine("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"), "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
}

TEST(Printable, ALongLineEndsBetweenCharacters) {
  EXPECT_EQ(OneLine("abcdef", 6), "abcdef");
  EXPECT_EQ(OneLine("abcdefg", 6), "abc...");
  EXPECT_EQ(OneLine("ab\xc3\xa9\xc3\xa9\xc3\xa9", 6), "ab...");
}

TEST(Printable, JsonStaysTheSameValue) {
  const std::string text = "a\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81\x7f\xc3\xa9\n";
  const std::string printed = PrintableJson(Json(text).ToString());
  EXPECT_EQ(printed, "\"a\\u009b\\u202e\\udb40\\udc41\\u007f\xc3\xa9\\n\"");
  EXPECT_EQ(ParseJson(printed)->AsString(), text);
}

}  // namespace
}  // namespace base
