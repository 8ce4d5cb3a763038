#include "state/errands/testing/http_caller_contract.h"

#include <optional>
#include <utility>
#include <vector>

namespace state {
namespace {

using base::Code;
using base::Duration;

constexpr Duration kStepLimit = Duration::Seconds(60);

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HttpCallerContract);

void PrintTo(const HttpCallerUnderTest& caller, std::ostream* out) { *out << caller.name; }

std::string HttpCallerName(const testing::TestParamInfo<HttpCallerUnderTest>& info) {
  return info.param.name;
}

HttpAnswer HttpCallerContract::Call(HttpCall call) {
  const auto answer = std::make_shared<std::optional<HttpAnswer>>();
  bool within = false;
  const bool answered = world_->runner().Run(
      [&] {
        world_->caller().Call(std::move(call), [answer](HttpAnswer got) {
          EXPECT_FALSE(*answer) << "it answered twice";
          *answer = std::move(got);
        });
        within = answer->has_value();
      },
      [answer] { return answer->has_value(); }, kStepLimit);
  EXPECT_FALSE(within) << "it answered from within the call";
  if (answered) return **answer;
  return {.status = base::Status(Code::kInternal, "no answer came")};
}

TEST_P(HttpCallerContract, WhatIsSentArrives) {
  const std::string url = world_->Answers({.code = 200});
  const HttpAnswer answer = Call({.method = "PUT",
                                  .url = url,
                                  .headers = {{"X-One", "first"}, {"X-Two", "a=b, c"}},
                                  .body = std::string("line\n\0{}", 8)});
  EXPECT_TRUE(answer.succeeded()) << answer.status.ToString();
  const HttpCall taken = world_->Taken();
  EXPECT_EQ(taken.method, "PUT");
  EXPECT_EQ(taken.body, std::string("line\n\0{}", 8));
  const std::vector<std::pair<std::string, std::string>> headers = {{"x-one", "first"},
                                                                    {"x-two", "a=b, c"}};
  EXPECT_EQ(taken.headers, headers);
}

TEST_P(HttpCallerContract, AnyAnswerIsAnAnswerARedirectToo) {
  std::string said, succeeded;
  for (const int code : {200, 204, 302, 404, 410, 429, 503}) {
    const HttpAnswer answer = Post(world_->Answers(
        {.code = code, .headers = {{"location", "http://169.254.169.254/"}}, .body = {}}));
    said += answer.status.ToString() + " " + std::to_string(answer.code) + "\n";
    if (answer.succeeded()) succeeded += std::to_string(answer.code) + " ";
  }
  EXPECT_EQ(said, "OK 200\nOK 204\nOK 302\nOK 404\nOK 410\nOK 429\nOK 503\n");
  EXPECT_EQ(succeeded, "200 204 ");
}

TEST_P(HttpCallerContract, HeadersAndBodyComeBackWithTheAnswer) {
  const HttpAnswer answer =
      Post(world_->Answers({.code = 429, .headers = {{"retry-after", "120"}}, .body = "later"}));
  EXPECT_EQ(std::string(answer.Header("retry-after")) + " " + answer.body, "120 later");
  EXPECT_EQ(answer.Header("x-none"), "");
}

TEST_P(HttpCallerContract, ALongAnswerIsCut) {
  for (const int code : {200, 500}) {
    const HttpAnswer answer =
        Post(world_->Answers({.code = code,
                              .headers = {{"retry-after", "7"}},
                              .body = std::string(3 * kMaxHttpAnswerBytes, 'x')}));
    EXPECT_EQ(answer.status.ToString() + " " + std::to_string(answer.code) + " " +
                  std::string(answer.Header("retry-after")),
              "OK " + std::to_string(code) + " 7");
    EXPECT_EQ(answer.body, std::string(kMaxHttpAnswerBytes, 'x'));
  }
}

TEST_P(HttpCallerContract, WhereNobodyIsItIsUnavailable) {
  EXPECT_EQ(Post(world_->Refuses()).status.code(), Code::kUnavailable);
}

TEST_P(HttpCallerContract, SilenceEndsAtTheLimit) {
  base::Loop& loop = world_->runner().loop();
  const base::MonotonicTime begin = loop.now().monotonic;
  const HttpAnswer answer = Call({.url = world_->IsSilent(), .time_limit = Duration::Millis(100)});
  EXPECT_EQ(answer.status.code(), Code::kUnavailable) << answer.code;
  EXPECT_GE(loop.now().monotonic - begin, Duration::Millis(100));
}

TEST_P(HttpCallerContract, WhatIsNoCallIsInvalid) {
  for (const char* url : {"", "ftp://h/", "https://", "/x"}) {
    EXPECT_EQ(Post(url).status.code(), Code::kInvalid) << url;
  }
  const std::string good = world_->Answers({.code = 200});
  EXPECT_EQ(Call({.url = good, .headers = {{"X-One", "a\r\nX-Two: b"}}}).status.code(),
            Code::kInvalid);
}

TEST_P(HttpCallerContract, EachOfManyGetsItsOwnAnswer) {
  constexpr size_t kMany = 30;
  const std::string good = world_->Answers({.code = 200}), bad = world_->Answers({.code = 404});
  std::vector<std::string> said(kMany);
  size_t answered = 0;
  const bool all = world_->runner().Run(
      [&] {
        for (size_t i = 0; i < kMany; ++i) {
          world_->caller().Call({.url = i % 2 == 0 ? good : bad}, [&, i](const HttpAnswer& answer) {
            said[i] += std::to_string(answer.code);
            ++answered;
          });
        }
      },
      [&] { return answered == kMany; }, kStepLimit);
  ASSERT_TRUE(all);
  for (size_t i = 0; i < kMany; ++i) EXPECT_EQ(said[i], i % 2 == 0 ? "200" : "404");
}

TEST_P(HttpCallerContract, NobodyIsToldOnceItHasEnded) {
  const std::string silent = world_->IsSilent(), quick = world_->Answers({.code = 200});
  bool told = false, passed = false;
  base::Loop& loop = world_->runner().loop();
  world_->runner().Run(
      [&] {
        for (const std::string& url : {silent, quick}) {
          world_->caller().Call({.url = url, .time_limit = Duration::Millis(20)},
                                [&](const HttpAnswer&) { told = true; });
        }
        world_->EndCaller();
        loop.After(Duration::Millis(50), [&] { passed = true; });
      },
      [&] { return passed; }, kStepLimit);
  EXPECT_TRUE(passed);
  EXPECT_FALSE(told);
}

}  // namespace state
