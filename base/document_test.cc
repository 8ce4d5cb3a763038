#include "base/document.h"

#include <gtest/gtest.h>

#include "base/testing/random_json.h"

namespace base {
namespace {

Document Parse(std::string_view text) {
  const Result<Document> document = Document::Parse(text);
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? *document : Document();
}

std::string Read(std::string_view text) {
  const Result<Document> document = Document::Parse(text);
  return document.ok() ? std::string(document->Bytes()) : document.status().ToString();
}

TEST(DocumentTest, HoldsTheCanonicalForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"a":1,"b":[true,null,"x"]})", R"({"a":1,"b":[true,null,"x"]})"},
      {R"( { "b" : 1 , "a" : 2 } )", R"({"a":2,"b":1})"},
      {R"(["\u0041\/"])", R"(["A/"])"},
      {R"(["\n"])", R"(["\n"])"},
      {"[1e3,1.50,-0]", "[1000.0,1.5,0]"},
      {"[10.0,1e+300,-0.0]", "[10.0,1e+300,-0.0]"},
      {"\xEF\xBB\xBF{}", "{}"},
      {"5", "5"},
      {"{\"a\":1,\"a\":2}",
       "BadRequest: line 1, column 8: the key \"a\" stands twice in this object; remove one of the "
       "two"},
      {"[1,]", "BadRequest: line 1, column 4: no JSON value starts like this"},
      {"[01]", "BadRequest: line 1, column 2: a number with a leading zero"},
      {"[-01]", "BadRequest: line 1, column 2: a number with a leading zero"},
      {"[nan]", "BadRequest: line 1, column 2: no JSON value starts like this"},
      {"", "BadRequest: line 1, column 1: the text ends where a value should be"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Read(text), expected) << text;
}

TEST(DocumentTest, FieldsAreReachable) {
  const Document document = Parse(R"({"a":{"b":[1,{"c":"x"},2.5,false]},"n":null,"s":"t"})");
  EXPECT_EQ(document["a"]["b"].At(0).AsInt(), 1);
  EXPECT_EQ(document["a"]["b"].At(1)["c"].AsString(), "x");
  EXPECT_EQ(document["a"]["b"].At(2).AsDouble(), 2.5);
  EXPECT_FALSE(document["a"]["b"].At(3).AsBool(true));
  EXPECT_EQ(document["a"]["b"].size(), 4u);
  EXPECT_EQ(document["a"].Bytes(), R"({"b":[1,{"c":"x"},2.5,false]})");
  EXPECT_EQ(document["a"]["b"].At(1).Bytes(), R"({"c":"x"})");
  EXPECT_EQ(document["s"].Bytes(), "\"t\"");
  EXPECT_TRUE(document["n"].Exists());
  EXPECT_TRUE(document["n"].IsNull());
}

TEST(DocumentTest, WhatIsMissingIsANullValue) {
  const Document document = Parse(R"({"a":[1]})");
  EXPECT_FALSE(document["x"]["y"].At(3)["z"].Exists());
  EXPECT_EQ(document["x"].Bytes(), "null");
  EXPECT_EQ(document["x"].size(), 0u);
  EXPECT_TRUE(document["x"].empty());
  EXPECT_EQ(document["a"]["key"].AsString("none"), "none");
  EXPECT_FALSE(document["a"].At(1).Exists());
  EXPECT_EQ(Document().Bytes(), "null");
  EXPECT_TRUE(Document()["a"].IsNull());
  for (const Value value : document["x"].Elements()) FAIL() << value.Bytes();
  for (const auto& [key, value] : document["a"].Members()) FAIL() << key << value.Bytes();
}

TEST(DocumentTest, VisitsMembersAndElementsInOrder) {
  const Document document = Parse(R"({"b":{"x":[1,[2]],"y":"\n"},"a":3,"c\n":4})");
  std::string seen;
  for (const auto& [key, value] : document.root().Members())
    seen += std::string(key) + "=" + std::string(value.Bytes()) + " ";
  EXPECT_EQ(seen, "a=3 b={\"x\":[1,[2]],\"y\":\"\\n\"} c\n=4 ");
  seen.clear();
  for (const Value value : document["b"]["x"].Elements()) seen += std::string(value.Bytes()) + " ";
  EXPECT_EQ(seen, "1 [2] ");
}

TEST(DocumentTest, AMemberStandsInTheBytesWithItsKey) {
  const Document document = *Document::Parse(R"({"labels":{"app":"web","b\"":[1,{"c":2}]},"z":1})");
  std::string members;
  for (const auto& [key, value] : document["labels"].Members())
    members += std::string(value.MemberBytes()) + " ";
  EXPECT_EQ(members, R"("app":"web" "b\"":[1,{"c":2}] )");
  EXPECT_EQ(document["z"].MemberBytes(), R"("z":1)");
  EXPECT_EQ(document["none"].MemberBytes(), "");
}

TEST(DocumentTest, KeysAndStringsWithEscapes) {
  const Document document = Parse(R"({"a\"b":"x\\y","plain":"\u0001","\\":1,"k":"v"})");
  EXPECT_EQ(document["a\"b"].AsString(), "x\\y");
  EXPECT_EQ(document["plain"].AsString(), "\x01");
  EXPECT_EQ(document["\\"].AsInt(), 1);
  EXPECT_FALSE(document["a"].Exists());
  EXPECT_FALSE(document["a\\\"b"].Exists());
}

TEST(DocumentTest, AKeyWithAQuoteDoesNotMatchAcrossAKeysEnd) {
  const Document document = Parse(R"({"a":"b","c":"d"})");
  EXPECT_FALSE(document["a\":\"b"].Exists());
  EXPECT_FALSE(document["a\""].Exists());
  EXPECT_FALSE(document[""].Exists());
}

TEST(DocumentTest, ManyEscapesAreFoundInShortTime) {
  Json array = Json::MakeArray();
  for (int i = 0; i < 200'000; ++i) array.Append("\n");
  const Document document{Json(array)};
  size_t bytes = 0;
  for (const Value value : document.root().Elements()) bytes += value.AsString().size();
  EXPECT_EQ(bytes, 200'000u);
}

TEST(DocumentTest, RefusesWhatIsTooDeepInAnyForm) {
  const std::string deep = std::string(130, '[') + std::string(130, ']');
  EXPECT_EQ(Read(deep), "BadRequest: line 1, column 130: nested deeper than 128 levels");
  EXPECT_EQ(Read(" " + deep), "BadRequest: line 1, column 131: nested deeper than 128 levels");
  const std::string fits = deep.substr(1, 258);
  EXPECT_EQ(Read(fits), fits);
  EXPECT_EQ(Read(" " + fits), fits);
}

TEST(DocumentTest, AProgramMayWrapTheDeepestValue) {
  Json json = *ParseJson(std::string(129, '[') + std::string(129, ']'));
  json = Json::MakeObject({{"items", Json::MakeArray({json})}});
  EXPECT_EQ(Document(json).Bytes(), json.ToString());
}

TEST(DocumentTest, RefusesWhatIsTooLargeInCanonicalForm) {
  std::string text = "[1e9";
  while (text.size() + 5 < kMaxDocumentBytes) text += ",1e9";
  text += "]";
  ASSERT_LE(text.size(), kMaxDocumentBytes);
  EXPECT_EQ(Document::Parse(text).status().code(), Code::kTooLarge);
}

// However long the new text is, and whatever stands around it.
TEST(DocumentTest, WithStringIndexesAsParsingWould) {
  for (const char* before : {"", "1", "12345678", "\"", "old"}) {
    for (const char* value : {"", "7", "123456789", "a\"b", "\n", "ü"}) {
      const Document document(Json::MakeObject(
          {{"a", Json::MakeArray({1, "x\ty"})},
           {"metadata", Json::MakeObject({{"resourceVersion", before}, {"uid", "u\\v"}})},
           {"z", Json::MakeObject({{"k\"", true}})}}));
      const Document changed = document.WithString("metadata", "resourceVersion", value);
      const auto parsed = Document::Parse(changed.Bytes());
      ASSERT_TRUE(parsed.ok());
      EXPECT_EQ(changed.ToJson(), parsed->ToJson());
      EXPECT_EQ(changed["metadata"]["resourceVersion"].AsString(), value);
      EXPECT_EQ(changed["metadata"]["uid"].AsString(), "u\\v");
      EXPECT_TRUE(changed["z"]["k\""].AsBool());
      EXPECT_EQ(changed["z"].Bytes(), document["z"].Bytes());
      EXPECT_EQ(changed.Bytes().size(), parsed->Bytes().size());
    }
  }
}

TEST(DocumentTest, WithStringReplacesOneMember) {
  const Document document =
      Parse(R"({"a":"\n","metadata":{"name":"web","resourceVersion":"1"},"z":{"k":"\t"}})");
  const Document stamped = document.WithString("metadata", "resourceVersion", "2\"3");
  EXPECT_EQ(stamped.Bytes(),
            R"({"a":"\n","metadata":{"name":"web","resourceVersion":"2\"3"},"z":{"k":"\t"}})");
  EXPECT_EQ(stamped["metadata"]["resourceVersion"].AsString(), "2\"3");
  EXPECT_EQ(stamped["z"]["k"].AsString(), "\t");
  EXPECT_EQ(document["metadata"]["resourceVersion"].AsString(), "1");
}

TEST(DocumentTest, OverwritesAStringOfTheSameLength) {
  Document document = Parse(R"({"a":"\n","metadata":{"name":"web","resourceVersion":"12"}})");
  EXPECT_TRUE(document.OverwriteString("metadata", "resourceVersion", "34"));
  EXPECT_EQ(document.Bytes(), R"({"a":"\n","metadata":{"name":"web","resourceVersion":"34"}})");
  for (const char* value : {"", "5", "567", "\n", "\""}) {
    EXPECT_FALSE(document.OverwriteString("metadata", "resourceVersion", value)) << value;
  }
  EXPECT_EQ(document["metadata"]["resourceVersion"].AsString(), "34");
}

TEST(DocumentTest, CopiesShare) {
  const Document document = Parse(R"({"a":[1,2,3]})");
  const Document copy = document;  // NOLINT: a copy is what is tested
  EXPECT_EQ(copy.Bytes().data(), document.Bytes().data());
  EXPECT_EQ(copy, document);
}

TEST(DocumentTest, MemoryIsBytesPlusFourAValue) {
  const std::string text = R"({"a":[1,2,3],"b":{"c":"d"}})";
  const size_t used = Parse(text).MemoryUsage();
  EXPECT_GE(used, text.size() + 7 * 4);
  EXPECT_LE(used, text.size() + 7 * 4 + 24);
}

// Random input

// The view of a Document agrees with the Json at every place.
void ExpectSame(Value value, const Json& json) {
  ASSERT_EQ(value.type(), json.type());
  ASSERT_EQ(value.Bytes(), json.ToString());
  ASSERT_EQ(value.size(), json.size());
  ASSERT_EQ(value.empty(), json.empty());
  ASSERT_EQ(value.AsString(), json.AsString());
  ASSERT_EQ(value.AsInt(7), json.AsInt(7));
  ASSERT_EQ(value.AsDouble(7), json.AsDouble(7));
  ASSERT_EQ(value.AsBool(true), json.AsBool(true));
  size_t index = 0;
  for (const Value element : value.Elements()) ExpectSame(element, json.At(index++));
  index = 0;
  for (const auto& [key, member] : value.Members()) {
    ASSERT_EQ(key, json.Members()[index].key);
    ASSERT_EQ(value[key].Bytes(), member.Bytes());
    ExpectSame(member, json.Members()[index++].value);
  }
}

TEST(DocumentTest, AgreesWithJsonEverywhere) {
  Rng rng(1);
  for (int round = 0; round < 10'000; ++round) {
    const Json json = RandomJson(rng, 5);
    const Document document(json);
    ExpectSame(document.root(), json);
    ASSERT_EQ(document.ToJson(), json);
    ASSERT_EQ(Parse(document.Bytes()), document);
    if (HasFatalFailure()) FAIL() << json.ToString();
  }
}

// On both sides of 64 KiB and of 2,047 values, where the index changes its form.
TEST(DocumentTest, AgreesWithJsonAtTheBordersOfTheIndex) {
  for (const size_t bytes : {65'535u, 65'536u, 65'537u}) {
    for (const size_t values : {10u, 2046u, 2047u, 2048u}) {
      Json json = Json::MakeObject({{"metadata", Json::MakeObject({{"resourceVersion", ""}})}});
      Json& list = json["list"].MutableElements().emplace_back(Json::MakeArray());
      while (list.size() + 6 < values) list.Append(7);  // beside six others
      json.Set("z", "");
      json.Set("z", std::string(bytes - json.ToString().size(), 'x'));
      const Document document(json);
      const bool is_short = bytes <= 65'536 && values <= 2047;
      EXPECT_EQ(document.MemoryUsage(), bytes + values * (is_short ? 4 : 8) + 24);
      ExpectSame(document.root(), json);
      for (const char* version : {"", "1", "12"}) {
        json["metadata"].Set("resourceVersion", version);
        ExpectSame(document.WithString("metadata", "resourceVersion", version).root(), json);
      }
    }
  }
}

TEST(DocumentTest, TakesTheSameTextsAsTheJsonParser) {
  Rng rng(2);
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    const std::string text = Damaged(rng, RandomJson(rng, 4).ToString());
    const Result<Json> json = ParseJson(text);
    const Result<Document> document = Document::Parse(text);
    ASSERT_EQ(json.ok(), document.ok()) << text;
    if (!json.ok()) continue;
    ++accepted;
    ASSERT_EQ(document->Bytes(), json->ToString()) << text;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace base
