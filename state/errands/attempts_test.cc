#include "state/errands/attempts.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace state {
namespace {

using base::Duration;
using base::Json;
using base::WallTime;

constexpr RetryPolicy kPolicy = {
    .backoff = base::Backoff(Duration::Seconds(10), Duration::Hours(4), 3),
    .max_attempts = 4,
};
const WallTime kNow = *WallTime::Parse("2026-10-21T07:00:00Z");

Object ErrandOf(const std::string& uid) {
  return {.key = {"errands", "", "e"},
          .document =
              base::Document(Json::MakeObject({{"metadata", Json::MakeObject({{"uid", uid}})}}))};
}

// The waits before each of its further attempts, in seconds.
std::string Waits(const std::string& uid, const HttpAnswer& answer) {
  std::string text;
  Json status = Json::MakeObject();
  WallTime now = kNow;
  CountAttempt(status, now);
  while (PlanRetry(status, ErrandOf(uid), kPolicy, answer, now)) {
    const auto next = NextAttempt(base::Document(status).root(), now);
    if (!next) return text + "at once";
    text += std::to_string((*next - now).seconds()) + " ";
    now = *next;
    CountAttempt(status, now);
  }
  return text + "over";
}

TEST(AttemptsTest, WaitsGrowAndAreOverWhenThePolicySaysSo) {
  for (const char* uid : {"a", "b", "c", "d"}) {
    std::istringstream waits(Waits(uid, {.code = 503}));
    int64_t wait = 0;
    for (const int64_t middle : {10, 30, 90}) {
      ASSERT_TRUE(waits >> wait) << uid;
      EXPECT_GE(wait, middle * 8 / 10) << uid;
      EXPECT_LE(wait, middle * 12 / 10) << uid;
    }
    std::string rest;
    waits >> rest;
    EXPECT_EQ(rest, "over");
  }
}

TEST(AttemptsTest, WhatFailedTogetherDoesNotComeBackTogether) {
  std::set<std::string> waits;
  for (int i = 0; i < 20; ++i) waits.insert(Waits(std::to_string(i), {.code = 503}));
  EXPECT_GT(waits.size(), 10u);
  EXPECT_EQ(Waits("a", {.code = 503}), Waits("a", {.code = 503})) << "it is no dice";
}

TEST(AttemptsTest, RetryAfterMakesAWaitLongerNeverShorter) {
  EXPECT_EQ(Waits("a", {.code = 429, .headers = {{"retry-after", "600"}}}), "600 600 600 over");
  EXPECT_EQ(Waits("a", {.code = 429, .headers = {{"retry-after", "1"}}}), Waits("a", {}));
}

TEST(AttemptsTest, AClockThatWentBackEndsAWait) {
  const auto next = [](const char* status, const char* now) {
    const auto time =
        NextAttempt(base::Document(*base::ParseJson(status)).root(), *WallTime::Parse(now));
    return time ? time->ToString() : "due";
  };
  constexpr char kStatus[] =
      R"({"lastAttempt":"2026-10-21T07:00:00Z","nextAttempt":"2026-10-21T08:00:00Z"})";
  EXPECT_EQ(next(kStatus, "2026-10-21T07:30:00Z"), "2026-10-21T08:00:00Z");
  EXPECT_EQ(next(kStatus, "2026-10-21T08:00:00Z"), "due");
  EXPECT_EQ(next(kStatus, "2026-10-21T06:59:59Z"), "due");
  EXPECT_EQ(next(R"({"nextAttempt":"2027-10-21T08:00:00Z"})", "2026-10-21T08:00:00Z"), "due");
  EXPECT_EQ(next("{}", "2026-10-21T08:00:00Z"), "due");
}

TEST(RetryAfterTest, SecondsAndDatesAreUnderstood) {
  const WallTime now = *WallTime::Parse("2026-10-21T07:27:00Z");
  const auto text = [&](std::string_view header) {
    const auto pause = ParseRetryAfter(header, now);
    return pause ? pause->ToString() : "none";
  };
  EXPECT_EQ(text("120"), "2m");
  EXPECT_EQ(text("999999999"), "12h");
  EXPECT_EQ(text("Wed, 21 Oct 2026 07:28:30 GMT"), "1m30s");
  EXPECT_EQ(text("Wed, 21 Oct 2026 07:20:00 GMT"), "none");
  for (const char* bad : {"", "-5", "0", "5s", "1e3", "99999999999999999999",
                          "Wed, 21 ctN 2026 07:28:30 GMT", "Wed, 99 Oct 2026 07:28:30 GMT"}) {
    EXPECT_EQ(text(bad), "none") << bad;
  }
}

}  // namespace
}  // namespace state
