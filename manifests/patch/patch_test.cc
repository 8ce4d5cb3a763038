#include "manifests/patch/patch.h"

#include <gtest/gtest.h>

namespace manifests {
namespace {

using base::Json;

Json Parse(std::string_view text) {
  base::Result<Json> json = base::ParseJson(text);
  EXPECT_TRUE(json.ok()) << text;
  return json.ok() ? *json : Json();
}

std::string Patched(std::string_view object, std::string_view patch) {
  const base::Result<Json> result = JsonPatch(Parse(object), Parse(patch));
  return result.ok() ? result->ToString() : result.status().ToString();
}

struct PatchCase {
  std::string object;
  std::string patch;
  std::string expected;
};

TEST(JsonPatchTest, DoesEachOperation) {
  const std::vector<PatchCase> cases = {
      {R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
      {R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2]})"},
      {R"({"a":1})", R"([{"op":"add","path":"","value":[2]}])", "[2]"},
      {R"({"a":1})", R"([{"op":"add","path":"/","value":2}])", R"({"":2,"a":1})"},
      {R"({"a":1,"b":2})", R"([{"op":"remove","path":"/a"}])", R"({"b":2})"},
      {R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/1"}])", R"({"a":[1,3]})"},
      {R"({"a":1})", R"([{"op":"replace","path":"/a","value":null}])", R"({"a":null})"},
      {R"({"a":[1,2]})", R"([{"op":"replace","path":"/a/0","value":{"b":1}}])",
       R"({"a":[{"b":1},2]})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":2}])", "2"},
      {R"({"a":{"b":1},"c":{}})", R"([{"op":"move","from":"/a/b","path":"/c/d"}])",
       R"({"a":{},"c":{"d":1}})"},
      {R"({"a":[1,2,3]})", R"([{"op":"move","from":"/a/0","path":"/a/2"}])", R"({"a":[2,3,1]})"},
      {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])",
       R"({"a":{"b":1},"c":{"b":1}})"},
      {R"({"a":{"b":[1,2.5,null,"x"]}})",
       R"([{"op":"test","path":"/a","value":{"b":[1.0,2.5,null,"x"]}}])",
       R"({"a":{"b":[1,2.5,null,"x"]}})"},
      {R"({"a/b":1,"m~n":2})", R"([{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"}])",
       "{}"},
      {"{}", R"([{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1}])",
       R"({"a":{"b":1}})"},
      {"{}", "[]", "{}"},
  };
  for (const PatchCase& c : cases) EXPECT_EQ(Patched(c.object, c.patch), c.expected) << c.patch;
}

TEST(JsonPatchTest, RefusesWhatDoesNotFitTheObject) {
  const std::string prefix = "Invalid: operation 0 of the JSON patch: ";
  const std::vector<PatchCase> cases = {
      {"{}", R"([{"op":"remove","path":"/a"}])", "the path \"/a\" does not exist in the object"},
      {"{}", R"([{"op":"replace","path":"/a","value":1}])",
       "the path \"/a\" does not exist in the object"},
      {"{}", R"([{"op":"add","path":"/a/b","value":1}])",
       "the path \"/a/b\" does not exist in the object"},
      {R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])",
       "the path \"/a/b\" does not exist in the object"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":1}])",
       "the path \"/a/2\" does not exist in the object"},
      {R"({"a":[1]})", R"([{"op":"remove","path":"/a/1"}])",
       "the path \"/a/1\" does not exist in the object"},
      {R"({"a":[1]})", R"([{"op":"remove","path":"/a/-"}])",
       "the path \"/a/-\" does not exist in the object"},
      {R"({"a":[1]})", R"([{"op":"remove","path":"/a/00"}])",
       "the path \"/a/00\" does not exist in the object"},
      {R"({"a":[1]})", R"([{"op":"remove","path":"/a/-1"}])",
       "the path \"/a/-1\" does not exist in the object"},
      {R"({"a":[]})", R"([{"op":"remove","path":"/a/0"}])",
       "the path \"/a/0\" does not exist in the object"},
      {"{}", R"([{"op":"copy","from":"/a","path":"/b"}])",
       "the path \"/a\" does not exist in the object"},
      {"{}", R"([{"op":"move","from":"/a","path":"/b"}])",
       "the path \"/a\" does not exist in the object"},
      {R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])",
       "a value cannot move into itself; use copy"},
      {"{}", R"([{"op":"remove","path":""}])",
       "the whole object cannot be removed; delete it instead"},
      {R"({"a":1})", R"([{"op":"test","path":"/a","value":"1"}])",
       "the test fails: \"/a\" is 1, not \"1\""},
      {R"({"a":[1]})", R"([{"op":"test","path":"/a","value":[1,2]}])",
       "the test fails: \"/a\" is [1], not [1,2]"},
      {"{}", R"([{"op":"test","path":"/a","value":null}])",
       "the path \"/a\" does not exist in the object"},
  };
  for (const PatchCase& c : cases)
    EXPECT_EQ(Patched(c.object, c.patch), prefix + c.expected) << c.patch;
}

TEST(JsonPatchTest, RefusesWhatIsNoPatch) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}",
       "a JSON patch is a list of operations, like [{\"op\": \"remove\", \"path\": "
       "\"/spec/paused\"}]"},
      {"[1]", "operation 0 of the JSON patch: it has no path; add \"path\": \"/...\""},
      {R"([{"op":"set","path":"/a"}])",
       "operation 0 of the JSON patch: \"set\" is no operation; write add, remove, replace, move, "
       "copy or test"},
      {R"([{"op":"add","path":"/a"}])", "operation 0 of the JSON patch: it has no value; add one"},
      {R"([{"op":"copy","path":"/a"}])",
       "operation 0 of the JSON patch: it has no from; add \"from\": \"/...\""},
      {R"([{"op":"remove","path":"a"}])",
       "operation 0 of the JSON patch: \"a\" is no JSON pointer; write it like /spec/containers/0, "
       "with ~1 for "
       "'/' and ~0 for '~' in a name"},
      {R"([{"op":"test","path":"","value":{}},{"op":"remove","path":"/~2"}])",
       "operation 1 of the JSON patch: \"/~2\" is no JSON pointer; write it like "
       "/spec/containers/0, with ~1 for "
       "'/' and ~0 for '~' in a name"},
  };
  for (const auto& [patch, expected] : cases)
    EXPECT_EQ(Patched("{}", patch), "BadRequest: " + expected);
}

TEST(JsonPatchTest, CannotGrowAnObjectWithoutEnd) {
  Json doubling = Json::MakeArray();
  for (int i = 0; i < 40; ++i) {
    doubling.Append(Json::MakeObject({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}}));
  }
  const base::Result<Json> grown =
      JsonPatch(Json::MakeObject({{"a", Json::MakeArray({std::string(100, 'x')})}}), doubling);
  EXPECT_EQ(
      grown.status().ToString(),
      "RequestEntityTooLarge: operation 14 of the JSON patch: the patch copies or moves more than "
      "3145728 bytes");

  Json deeper = Json::MakeArray();
  for (int i = 0; i < 200; ++i) {
    deeper.Append(Json::MakeObject({{"op", "move"}, {"from", "/a"}, {"path", "/b"}}));
    deeper.Append(Json::MakeObject({{"op", "add"}, {"path", "/a"}, {"value", Json::MakeObject()}}));
    deeper.Append(Json::MakeObject({{"op", "move"}, {"from", "/b"}, {"path", "/a/c"}}));
  }
  const base::Result<Json> deep = JsonPatch(Json::MakeObject({{"a", Json::MakeObject()}}), deeper);
  EXPECT_EQ(deep.status().message().substr(deep.status().message().find(": ") + 2),
            "the object would be nested deeper than 128 levels");

  Json many = Json::MakeArray();
  for (int i = 0; i < 10'001; ++i) many.Append(Json::MakeObject());
  EXPECT_EQ(JsonPatch(Json::MakeObject(), many).status().ToString(),
            "RequestEntityTooLarge: a JSON patch of 10001 operations; the limit is 10000");
}

TEST(MergePatchTest, FollowsRfc7386) {
  const std::vector<PatchCase> cases = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const PatchCase& c : cases) {
    EXPECT_EQ(MergePatch(Parse(c.object), Parse(c.patch)).ToString(), c.expected) << c.patch;
  }
}

// kubectl prints the causes of an Invalid, and nothing else.
TEST(JsonPatchTest, AFailureIsACauseWithItsPath) {
  const auto refused = [](std::string_view object, std::string_view patch) {
    const base::Status status = JsonPatch(Parse(object), Parse(patch)).status();
    std::string text(base::ReasonOf(status.code()));
    for (const base::Cause& cause : status.causes())
      text += "|" + cause.field + "|" + cause.message;
    return text;
  };
  EXPECT_EQ(refused(R"({"data":{"level":"info"}})",
                    R"([{"op":"test","path":"/data/level","value":"debug"}])"),
            "Invalid|/data/level|operation 0 of the JSON patch (test): the test fails: "
            "\"/data/level\" is \"info\", not \"debug\"");
  EXPECT_EQ(refused("{}", R"([{"op":"remove","path":"/data/nothing"}])"),
            "Invalid|/data/nothing|operation 0 of the JSON patch (remove): the path "
            "\"/data/nothing\" does not exist in the object");
  EXPECT_EQ(refused(R"({"kind":"Secret","data":{"a":"aGlk"}})",
                    R"([{"op":"test","path":"/data/a","value":"x"}])"),
            "Invalid|/data/a|operation 0 of the JSON patch (test): the test fails: \"/data/a\" has "
            "another value");
}

// Each of these would move what stands behind its place, once an operation.
TEST(JsonPatchTest, WhatMovesIsCharged) {
  const auto repeated = [](std::string_view operation, int times) {
    std::string patch = "[";
    for (int i = 0; i < times; ++i) patch += (i > 0 ? "," : "") + std::string(operation);
    return Parse(patch + "]");
  };
  Json list = Json::MakeObject(), members = Json::MakeObject();
  for (int i = 0; i < 20'000; ++i) {
    list["a"].Append(0);
    members.MutableMembers().push_back({std::to_string(100'000 + i), 0});
  }
  const auto code = [](const Json& object, const Json& patch) {
    return std::string(base::ReasonOf(JsonPatch(object, patch).status().code()));
  };
  const std::string too_large(base::ReasonOf(base::Code::kTooLarge));
  EXPECT_EQ(code(list, repeated(R"({"op":"add","path":"/a/0","value":1})", 2'000)), too_large);
  EXPECT_EQ(code(list, repeated(R"({"op":"remove","path":"/a/0"})", 2'000)), too_large);
  EXPECT_EQ(code(list, repeated(R"({"op":"move","from":"/a/0","path":"/a/-"})", 2'000)), too_large);
  const Json in_and_out =
      repeated(R"({"op":"add","path":"/0","value":1},{"op":"remove","path":"/0"})", 1'000);
  EXPECT_EQ(code(members, in_and_out), too_large);
  EXPECT_TRUE(JsonPatch(list, repeated(R"({"op":"add","path":"/a/-","value":1})", 2'000)).ok());
}

TEST(MergePatchTest, ManyKeysBetweenManyAreOnePass) {
  Json object = Json::MakeObject(), patch = Json::MakeObject();
  for (int i = 0; i < 100'000; ++i) {
    object.MutableMembers().push_back({std::to_string(100'000 + i) + "b", i});
    patch.MutableMembers().push_back({std::to_string(100'000 + i) + "a", i});
  }
  patch.MutableMembers().push_back({"199999b", nullptr});
  const Json merged = MergePatch(object, patch);
  EXPECT_EQ(merged.size(), 199'999u);
  EXPECT_EQ(merged["100000a"].AsInt(-1), 0);
  EXPECT_EQ(merged["100000b"].AsInt(-1), 0);
  EXPECT_FALSE(merged.Has("199999b"));
}

}  // namespace
}  // namespace manifests
