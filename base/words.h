// Lists of words: in JSON, and a line each where that is all there is room for (the environment of
// a program, a value of a Secret). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace base {

Json ListOf(const std::vector<std::string>& words);
// Of an array; an element that is no text is an empty word.
std::vector<std::string> WordsOf(const Json& list);

// "a\nb\n". A word holds no line break.
std::string LinesOf(const std::vector<std::string>& words);
std::vector<std::string> WordsOfLines(std::string_view lines);

}  // namespace base
