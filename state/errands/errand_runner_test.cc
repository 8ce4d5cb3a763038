// What the runner does with the steps that a kind plans.
#include "state/errands/errand_runner.h"

#include <gtest/gtest.h>

#include "state/errands/testing/fake_http_caller.h"
#include "state/testing/test_cluster.h"

namespace state {
namespace {

using base::Duration;
using base::Json;
using base::WallTime;

// Deliveries stand in for a kind of errands that a test is free to plan: spec.body says what to do
// until the status has a message.
constexpr char kErrands[] = "deliveries.plumb.dev";
constexpr std::string_view kWakesOn[] = {"secrets"};

ErrandStep Next(const View& view, const Object& errand, WallTime now) {
  const std::string_view wish = errand["spec"]["body"].AsString();
  if (wish.starts_with("wait ")) {
    const WallTime until = *WallTime::Parse(wish.substr(5));
    if (until > now) return ErrandWait{until};
    return ErrandRemoval();
  }
  if (!errand["status"]["message"].AsString().empty()) return ErrandRest();
  if (wish == "rest") return ErrandRest();
  if (wish == "fail") return ErrandFailure{base::Status(base::Code::kNotFound, "it cannot be")};
  if (wish == "secret" && view.Get("secrets", errand.key.ns, "s") == nullptr) return ErrandRest();
  return ErrandCall{.call = {.url = "https://" + std::string(errand["spec"]["provider"].AsString()),
                             .body = std::string(errand.Uid())},
                    .lane = errand.key.ToString()};
}

// Whatever is answered with 202 leaves the same behind.
ErrandRecord Absorb(const Object&, const HttpAnswer& answer, WallTime) {
  if (answer.code == 202) return {Json::MakeObject({{"phase", "Pending"}}), ""};
  const std::string said =
      answer.status.ok() ? std::to_string(answer.code) : std::string(answer.status.message());
  return {Json::MakeObject({{"message", said}}), ""};
}

constexpr ErrandKind kKind = {
    .resource = kErrands, .wakes_on = kWakesOn, .next = Next, .absorb = Absorb};

class ErrandRunnerTest : public testing::Test {
 protected:
  ErrandRunnerTest() {
    servers_["https://there"] = &server_;
    Start();
  }

  void Start() {
    caller_ = std::make_unique<FakeHttpCaller>(cluster_.loop, servers_);
    runner_ = std::make_unique<ErrandRunner>(cluster_.loop, cluster_.store(), cluster_.Context(),
                                             *caller_, std::vector<const ErrandKind*>{&kKind});
  }
  void Crash() {
    runner_.reset();
    caller_.reset();
    cluster_.Crash();
    Start();
  }
  void Add(const std::string& name, const std::string& wish) {
    cluster_.Apply("apiVersion: plumb.dev/v1\nkind: Delivery\nmetadata: {name: " + name +
                   ", namespace: default}\nspec: {provider: there, event: e, body: \"" + wish +
                   "\"}\n");
  }
  // "NAME MESSAGE" of each.
  std::string Errands() {
    std::string text;
    for (const ObjectPtr& errand : cluster_.store().view().List(kErrands)) {
      text +=
          errand->key.name + " " + std::string((*errand)["status"]["message"].AsString("-")) + "\n";
    }
    return text;
  }

  TestCluster cluster_;
  ScriptedHttpServer server_;
  FakeHttpServers servers_;
  std::unique_ptr<HttpCaller> caller_;
  std::unique_ptr<ErrandRunner> runner_;
};

TEST_F(ErrandRunnerTest, ACallIsMadeAndItsAnswerRecorded) {
  server_.answers = {HttpAnswer{.code = 200}};
  Add("a", "call");
  cluster_.Settle();
  EXPECT_EQ(Errands(), "a 200\n");
  EXPECT_EQ(server_.calls.size(), 1u);
  EXPECT_TRUE(runner_->Idle());
}

TEST_F(ErrandRunnerTest, AFailureIsAbsorbedAsIfItHadBeenCalledFor) {
  Add("a", "fail");
  cluster_.Settle();
  EXPECT_EQ(Errands(), "a it cannot be\n");
  EXPECT_EQ(server_.calls.size(), 0u);
}

TEST_F(ErrandRunnerTest, AWaitEndsAtItsTimeWhateverTheClockDidMeanwhile) {
  const WallTime begin = cluster_.loop.now().wall;
  Add("a", "wait " + (begin + Duration::Hours(3)).ToString());
  Add("b", "wait " + (begin + Duration::Hours(30)).ToString());
  cluster_.Settle(Duration::Hours(2));
  EXPECT_EQ(Errands(), "a -\nb -\n");
  cluster_.Settle(Duration::Hours(2));
  EXPECT_EQ(Errands(), "b -\n");
  cluster_.loop.JumpWallClock(Duration::Hours(30));
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(Errands(), "");
}

TEST_F(ErrandRunnerTest, WhatAKindWakesOnMakesItLookAgain) {
  Add("a", "secret");
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(Errands(), "a -\n");
  cluster_.Apply("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n");
  cluster_.Settle();
  EXPECT_EQ(Errands(), "a 204\n");
}

TEST_F(ErrandRunnerTest, AnAnswerThatLeavesNothingNewBehindIsNoLoop) {
  server_.answers = {HttpAnswer{.code = 202}, HttpAnswer{.code = 202}};
  Add("a", "call");
  cluster_.Settle(kErrandRetry);
  EXPECT_EQ(server_.calls.size(), 2u);
  cluster_.Settle(kErrandRetry);
  EXPECT_EQ(server_.calls.size(), 3u);
  EXPECT_EQ(Errands(), "a 204\n");
}

TEST_F(ErrandRunnerTest, WhatIsDeletedMeanwhileGetsNoAnswerAndOneOfItsNameIsAnother) {
  server_.latency = Duration::Seconds(2);
  server_.answers = {HttpAnswer{.code = 500}, HttpAnswer{.code = 200}};
  Add("a", "call");
  cluster_.Settle(Duration::Seconds(1));
  cluster_.Delete(kErrands, "default", "a");
  Add("a", "call");
  cluster_.Settle(Duration::Seconds(10));
  EXPECT_EQ(Errands(), "a 200\n");
  ASSERT_EQ(server_.calls.size(), 2u);
  EXPECT_NE(server_.calls[0].body, server_.calls[1].body);
}

TEST_F(ErrandRunnerTest, WhatACrashCouldTakeBackIsNotCalledFor) {
  server_.latency = Duration::Millis(1);
  cluster_.loop.set_offload_delay(Duration::Seconds(60));
  Add("a", "call");
  const Revision added = cluster_.store().revision();
  int looked = 0;
  for (; cluster_.store().durable() < added; ++looked) {
    EXPECT_EQ(server_.calls.size(), 0u);
    cluster_.Settle(Duration::Millis(100));
  }
  EXPECT_GT(looked, 1);
  cluster_.Settle();
  EXPECT_EQ(server_.calls.size(), 1u);
}

TEST_F(ErrandRunnerTest, WhatWasUnderWayIsDoneAgainAsTheSameErrand) {
  server_.answers = {std::nullopt};
  Add("a", "call");
  cluster_.Settle();
  EXPECT_FALSE(runner_->Idle());
  Crash();
  cluster_.Settle();
  EXPECT_EQ(Errands(), "a 204\n");
  ASSERT_EQ(server_.calls.size(), 2u);
  EXPECT_EQ(server_.calls[0].body, server_.calls[1].body);
}

TEST_F(ErrandRunnerTest, ManyAreDoneAFewAtATime) {
  server_.latency = Duration::Millis(100);
  for (int i = 0; i < 200; ++i) Add("e" + std::to_string(i), "call");
  cluster_.Settle(Duration::Millis(150));
  EXPECT_EQ(server_.calls.size(), kMaxCallsToOrigin);
  cluster_.Settle(Duration::Seconds(30));
  EXPECT_EQ(server_.calls.size(), 200u);
  EXPECT_TRUE(runner_->Idle());
}

}  // namespace
}  // namespace state
