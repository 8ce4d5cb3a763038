#include "base/net/http.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace base {
namespace {

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += "[" + part + "]";
  return text;
}

std::string Split(std::string_view path) {
  Result<std::vector<std::string>> segments = SplitPath(path);
  return segments.ok() ? Joined(*segments) : std::string(ReasonOf(segments.status().code()));
}

std::string Query(std::string_view text) {
  auto query = ParseQuery(text);
  if (!query.ok()) return std::string(ReasonOf(query.status().code()));
  std::string joined;
  for (const auto& [name, value] : *query) joined += "[" + name + "=" + value + "]";
  return joined;
}

TEST(HttpTest, PathSplitsIntoDecodedSegments) {
  EXPECT_EQ(Split("/"), "");
  EXPECT_EQ(Split("/api/v1/pods"), "[api][v1][pods]");
  EXPECT_EQ(Split("/api/v1/"), "[api][v1]");
  EXPECT_EQ(Split("/a%20b/c%C3%A9/x:y@z"), "[a b][c\xC3\xA9][x:y@z]");
  EXPECT_EQ(Split("/a+b"), "[a+b]");
  EXPECT_EQ(Split("/%2541"), "[%41]") << "decoded once, not twice";
}

TEST(HttpTest, UnsafePathsAreRefused) {
  for (std::string_view path :
       {"", "api", "//", "/a//b", "/.", "/a/..", "/a/../b", "/%2e%2E/b", "/a%", "/a%2", "/a%zz",
        "/a%00b", "/a%0ab", "/a%7f", "/a%2Fb", "/a%2fb", "/%ff", "/%C0%AF", "/a\x01"}) {
    EXPECT_EQ(Split(path), "BadRequest") << path;
  }
  std::string deep;
  for (size_t i = 0; i <= kMaxPathSegments; ++i) deep += "/x";
  EXPECT_EQ(Split(deep), "BadRequest");
}

// Every list of short segments over bytes that are special somewhere: encoded and split again it is
// the same list, and no two lists share a joined path.
TEST(HttpTest, SegmentsAndTheirPathsAreInjective) {
  const std::string alphabet = "a.%/ +";
  std::vector<std::string> words;
  for (char first : alphabet) {
    words.emplace_back(1, first);
    for (char second : alphabet) words.push_back(std::string{first, second});
  }
  std::map<std::string, std::string> joined_by_path;
  int accepted = 0;
  for (const std::string& left : words) {
    for (const std::string& right : words) {
      std::string encoded = "/" + PercentEncode(left) + "/" + PercentEncode(right);
      Result<std::vector<std::string>> segments = SplitPath(encoded);
      bool safe = left.find('/') == std::string::npos && right.find('/') == std::string::npos &&
                  left != "." && left != ".." && right != "." && right != "..";
      ASSERT_EQ(segments.ok(), safe) << encoded;
      if (!safe) continue;
      ++accepted;
      ASSERT_EQ(Joined(*segments), "[" + left + "][" + right + "]");
      auto [entry, added] =
          joined_by_path.emplace("/" + left + "/" + right, "[" + left + "][" + right + "]");
      ASSERT_TRUE(added) << entry->first << " also stands for " << entry->second;
    }
  }
  EXPECT_EQ(accepted, 28 * 28);
}

TEST(HttpTest, PercentEncodingReadsBackForEveryByteOfAscii) {
  std::string text;
  for (char c = 1; c < 127; ++c) text += c;
  text += "\xC3\xA9\xE2\x82\xAC";
  Result<std::string> decoded = PercentDecode(PercentEncode(text));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, text);
}

TEST(HttpTest, QueryKeepsOrderAndRepeats) {
  EXPECT_EQ(Query(""), "");
  EXPECT_EQ(Query("watch=true&command=sh&command=-c&command=echo%0Ahi&x"),
            "[watch=true][command=sh][command=-c][command=echo\nhi][x=]");
  EXPECT_EQ(Query("labelSelector=a%3Db%2Cc+in+%28d%29&&=1"), "[labelSelector=a=b,c in (d)][=1]");
  EXPECT_EQ(Query("a=b=c"), "[a=b=c]");
  EXPECT_EQ(Query("a=%0"), "BadRequest");
  EXPECT_EQ(Query("a%00=1"), "BadRequest");
  EXPECT_EQ(Query("a=%ff"), "BadRequest");
  std::string many;
  for (size_t i = 0; i <= kMaxQueryParameters; ++i) many += "a&";
  EXPECT_EQ(Query(many), "BadRequest");
}

TEST(HttpTest, TargetsInOriginAndAbsoluteFormAreTheSame) {
  for (std::string_view target :
       {"/api/v1/pods?limit=5&watch", "https://host:6443/api/v1/pods?limit=5&watch"}) {
    HttpRequest request;
    ASSERT_TRUE(ParseTarget(target, request).ok());
    EXPECT_EQ(request.path, "/api/v1/pods");
    EXPECT_EQ(Joined(request.segments), "[api][v1][pods]");
    EXPECT_EQ(request.Query("limit"), "5");
    EXPECT_EQ(request.Query("absent"), "");
  }
  HttpRequest request;
  ASSERT_TRUE(ParseTarget("https://host?x=1", request).ok());
  EXPECT_EQ(request.path + " " + std::string(request.Query("x")), "/ 1");
  EXPECT_EQ(ParseTarget("*", request).code(), Code::kBadRequest);
  EXPECT_EQ(ParseTarget("host:443", request).code(), Code::kBadRequest);
}

TEST(HttpTest, HeadersAndGroupsAreFoundByName) {
  HttpRequest request;
  request.headers["accept"] = "application/json";
  EXPECT_EQ(request.Header("accept"), "application/json");
  EXPECT_EQ(request.Header("content-type"), "");
  Identity identity{"alice", {"plumb:admin"}};
  EXPECT_TRUE(identity.InGroup("plumb:admin"));
  EXPECT_FALSE(identity.InGroup("plumb:adm"));
}

TEST(HttpTest, FailureIsAKubernetesStatus) {
  HttpResponse response = FailureResponse(
      Status(Code::kInvalid, "no good", {{"FieldValueInvalid", "too big", "spec.replicas"}}));
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body,
            R"({"apiVersion":"v1","code":422,"details":{"causes":[{"field":"spec.replicas",)"
            R"("message":"too big","reason":"FieldValueInvalid"}]},"kind":"Status",)"
            R"("message":"no good","metadata":{},"reason":"Invalid","status":"Failure"})");
}

}  // namespace
}  // namespace base
