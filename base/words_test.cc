#include "base/words.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(WordsTest, AListReadsBackInEitherForm) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>(), {"main"}, {"main", "release/1", ""}}) {
    EXPECT_EQ(WordsOf(ListOf(words)), words);
    EXPECT_EQ(WordsOfLines(LinesOf(words)), words);
  }
  EXPECT_EQ(WordsOf(Json("main")), std::vector<std::string>());
  EXPECT_EQ(WordsOfLines("a\nb"), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace base
