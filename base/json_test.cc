#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/testing/random_json.h"

namespace base {
namespace {

std::string ReadJson(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  return json.ok() ? json->ToString() : json.status().ToString();
}

TEST(JsonTest, ReadsAndPrintsTheCanonicalForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"null", "null"},
      {" true ", "true"},
      {"[false , 1]", "[false,1]"},
      {"{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", R"({"a":{"c":{},"d":[]},"b":1})"},
      {"[0,-0,-1,9223372036854775807,-9223372036854775808]",
       "[0,0,-1,9223372036854775807,-9223372036854775808]"},
      {"[1.0,1.5,-0.0,1e3,1E-7,2.5e+10,1e300]", "[1.0,1.5,-0.0,1000.0,1e-07,2.5e+10,1e+300]"},
      {"[9223372036854775808]", "[9223372036854775808.0]"},
      {R"(["a\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00"])",
       "[\"a\\\"\\\\/\\b\\f\\n\\r\\tA\xC3\xA4\xF0\x9F\x98\x80\"]"},
      {R"(["\u0000\u001f\u007f"])", "[\"\\u0000\\u001f\x7F\"]"},
      {R"(["\ud800","\udc00","\ud800\u0041"])",
       "[\"\xEF\xBF\xBD\",\"\xEF\xBF\xBD\",\"\xEF\xBF\xBD"
       "A\"]"},
      {"\xEF\xBB\xBF[1]", "[1]"},
      {"{\"\":1}", "{\"\":1}"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(ReadJson(text), expected) << text;
}

TEST(JsonTest, SaysWhereAndWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1, column 1: the text ends where a value should be"},
      {"{\n  \"a\": }", "line 2, column 8: no JSON value starts like this"},
      {"[1,\n2", "line 2, column 2: ',' or ']' should be here"},
      {"[1,]", "line 1, column 4: no JSON value starts like this"},
      {"{\"a\":1,}", "line 1, column 8: a key in double quotes should be here"},
      {"{\"a\" 1}", "line 1, column 6: ':' should follow the key \"a\""},
      {"{a:1}", "line 1, column 2: a key in double quotes should be here"},
      {"{\"a\":1 \"b\":2}", "line 1, column 8: ',' or '}' should be here"},
      {"{\"a\":1,\n \"a\":2}",
       "line 2, column 2: the key \"a\" stands twice in this object; remove one of the two"},
      {"1 2", "line 1, column 3: something follows the end of the value"},
      {"\"a", "line 1, column 3: a string without its closing quote"},
      {"\"a\nb\"", "line 1, column 3: a control character inside a string"},
      {"\"\\x\"", "line 1, column 2: an unknown escape"},
      {"\"\\u12g4\"", "line 1, column 4: \\u needs four hexadecimal digits"},
      {"\"\\u1\"", "line 1, column 4: \\u needs four hexadecimal digits"},
      {"\"\\u-123\"", "line 1, column 4: \\u needs four hexadecimal digits"},
      {"\"\xFF\"", "line 1, column 2: bytes that are not UTF-8"},
      {"\"\xC0\x80\"", "line 1, column 2: bytes that are not UTF-8"},
      {"\"\xED\xA0\x80\"", "line 1, column 2: bytes that are not UTF-8"},
      {"01", "line 1, column 1: a number with a leading zero"},
      {"-", "line 1, column 1: no JSON value starts like this"},
      {"+1", "line 1, column 1: no JSON value starts like this"},
      {".5", "line 1, column 1: no JSON value starts like this"},
      {"1.", "line 1, column 3: a number's fraction needs digits"},
      {"1e", "line 1, column 3: a number's exponent needs digits"},
      {"1e400", "line 1, column 1: a number out of range"},
      {"nul", "line 1, column 1: no JSON value starts like this"},
      {"truex", "line 1, column 5: something follows the end of the value"},
      {"NaN", "line 1, column 1: no JSON value starts like this"},
      {std::string("\0", 1), "line 1, column 1: a NUL byte"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(ReadJson(text), "BadRequest: " + expected) << text;
}

TEST(JsonTest, RefusesWhatIsTooDeep) {
  const std::string open(kMaxJsonDepth + 1, '[');
  const std::string close(kMaxJsonDepth + 1, ']');
  EXPECT_EQ(ReadJson(open.substr(1) + close.substr(1)), open.substr(1) + close.substr(1));
  EXPECT_EQ(ReadJson(open + close), open + close);
  EXPECT_EQ(ReadJson(open + "[" + close + "]"),
            "BadRequest: line 1, column 130: nested deeper than 128 levels");
  EXPECT_EQ(ReadJson(std::string(1'000'000, '[')),
            "BadRequest: line 1, column 130: nested deeper than 128 levels");
}

TEST(JsonTest, RefusesWhatIsTooLarge) {
  EXPECT_EQ(ReadJson(std::string(kMaxDocumentBytes + 1, ' ')),
            "RequestEntityTooLarge: a document of 67108865 bytes; the limit is 67108864");
}

TEST(JsonTest, MarksEveryValueAndKey) {
  const Result<Json> json = ParseJson("{\n  \"b\": [1,\n    \"\xC3\xA4\", 2],\n  \"a\": null}");
  ASSERT_TRUE(json.ok());
  const auto at = [](Mark mark) {
    return std::to_string(mark.line) + ":" + std::to_string(mark.column);
  };
  EXPECT_EQ(at(json->mark), "1:1");
  EXPECT_EQ(at((*json)["b"].key_mark) + " " + at((*json)["b"].mark), "2:3 2:8");
  EXPECT_EQ(at((*json)["b"].At(0).mark) + " " + at((*json)["b"].At(1).mark) + " " +
                at((*json)["b"].At(2).mark),
            "2:9 3:5 3:11");
  EXPECT_EQ(at((*json)["a"].key_mark) + " " + at((*json)["a"].mark), "4:3 4:8");
}

TEST(JsonTest, ReadsALargeObjectInAnyOrderInShortTime) {
  // Keys in falling order: a sorted insert of each would take minutes.
  std::string text = "{";
  for (int i = 299'999; i >= 0; --i)
    text += '"' + std::to_string(1'000'000 + i) + "\":0" + (i > 0 ? "," : "}");
  const Result<Json> json = ParseJson(text);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->size(), 300'000u);
  EXPECT_EQ(json->Members().front().key, "1000000");
}

TEST(JsonTest, AccessorsFallBack) {
  const Json json = Json::MakeObject({{"i", 5}, {"d", 2.0}, {"f", 2.5}, {"s", "x"}, {"b", true}});
  EXPECT_EQ(json["i"].AsInt(), 5);
  EXPECT_EQ(json["d"].AsInt(), 2);
  EXPECT_EQ(json["f"].AsInt(-1), -1);
  EXPECT_EQ(json["i"].AsDouble(), 5.0);
  EXPECT_EQ(json["s"].AsString(), "x");
  EXPECT_EQ(json["i"].AsString("none"), "none");
  EXPECT_TRUE(json["b"].AsBool());
  EXPECT_TRUE(json["s"].AsBool(true));
  EXPECT_TRUE(json["missing"]["deeper"].At(3).IsNull());
  EXPECT_EQ(Json(1e30).AsInt(-1), -1);
  EXPECT_EQ(Json(std::nan("")).AsInt(-1), -1);
  const Json text("text");
  EXPECT_TRUE(text["key"].IsNull());
  EXPECT_EQ(text.size(), 0u);
}

TEST(JsonTest, Edits) {
  Json json;
  json["b"]["c"].Append(1);
  json["b"]["c"].Append("two");
  json.Set("a", Json::MakeArray({1, Json()}));
  EXPECT_EQ(json.ToString(), R"({"a":[1,null],"b":{"c":[1,"two"]}})");
  EXPECT_TRUE(json.Remove("a"));
  EXPECT_FALSE(json.Remove("a"));
  EXPECT_FALSE(Json(1).Remove("a"));
  EXPECT_EQ(json.ToString(), R"({"b":{"c":[1,"two"]}})");
}

TEST(JsonTest, EqualityLooksAtValuesNotAtMarks) {
  EXPECT_EQ(*ParseJson("{\"a\": [1]}"), Json::MakeObject({{"a", Json::MakeArray({1})}}));
  EXPECT_FALSE(Json(1) == Json(1.0));
  EXPECT_FALSE(Json() == Json(false));
}

TEST(JsonDeathTest, EditingAnotherTypeIsAProgrammerError) {
  EXPECT_DEATH(Json("x")["a"] = 1, "IsObject");
  EXPECT_DEATH(Json(1).Append(1), "IsArray");
}

TEST(JsonTest, InfinityPrintsAsNull) {
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).ToString(), "null");
  EXPECT_EQ(Json(std::nan("")).ToString(), "null");
}

// Random input

TEST(JsonTest, WhatIsPrintedReadsBackAsTheSame) {
  Rng rng(1);
  for (int round = 0; round < 20'000; ++round) {
    const Json json = RandomJson(rng, 5);
    const std::string text = json.ToString();
    const Result<Json> read = ParseJson(text);
    ASSERT_TRUE(read.ok()) << text;
    ASSERT_EQ(*read, json) << text;
    ASSERT_EQ(read->ToString(), text);
  }
}

TEST(JsonTest, DamagedTextNeverCrashes) {
  Rng rng(2);
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    const std::string text = Damaged(rng, RandomJson(rng, 4).ToString());
    const Result<Json> read = ParseJson(text);
    if (!read.ok()) {
      ASSERT_TRUE(read.status().message().starts_with("line ")) << text;
      continue;
    }
    ++accepted;
    ASSERT_EQ(*ParseJson(read->ToString()), *read) << text;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace base
