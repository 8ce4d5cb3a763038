#include "gitsync/report/delivery.h"

#include "gitsync/testing/engine_fixture.h"
#include "state/errands/attempts.h"
#include "state/errands/errand_runner.h"
#include "state/errands/testing/fake_http_caller.h"

namespace gitsync {
namespace {

using base::Duration;
using state::HttpAnswer;
using state::HttpCall;

constexpr char kToken[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

HttpAnswer Answer(int code) { return {.code = code}; }

class DeliveryTest : public EngineFixture {
 protected:
  DeliveryTest() {
    AddHook("plumb-system", "hook");
    cluster_.Settle();  // durable before any crash
    StartErrands();
  }

  void AddHook(const std::string& ns, const std::string& name) {
    cluster_.Apply(
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\n"
        "metadata: {name: " +
        name + ", namespace: " + ns + "}\nspec: {type: standard-webhook, address: \"https://" +
        name +
        "/x\", secretRef: {name: s}}\n---\n"
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n"
        "metadata: {name: " +
        name + ", namespace: " + ns + "}\nspec: {providerRef: {name: " + name +
        "}, eventSources: [{kind: Kustomization, name: \"*\"}]}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " +
        ns + "}\nstringData: {token: " + kToken + "}\n");
    servers_["https://" + name] = &server_;
  }
  void SetProvider(const std::string& more) {
    cluster_.Apply(
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {name: "
        "hook, namespace: plumb-system}\nspec: {type: standard-webhook, address: "
        "\"https://hook/x\", secretRef: {name: s}" +
        more + "}\n");
  }

  void StartErrands() {
    caller_ = std::make_unique<state::FakeHttpCaller>(cluster_.loop, servers_);
    errands_ = std::make_unique<state::ErrandRunner>(
        cluster_.loop, cluster_.store(), cluster_.Context(), *caller_,
        std::vector<const state::ErrandKind*>{&kDeliveryErrands});
  }
  void Restart() {
    errands_.reset();
    caller_.reset();
    Stop();
    Start();
    StartErrands();
  }

  std::string Deploy() {
    const std::string commit = Push({{"conf.yaml", std::string(kConfig) + "# " + Next() + "\n"}});
    cluster_.Settle();
    return commit;
  }
  std::string Next() { return std::to_string(++count_); }

  // "PHASE ATTEMPTS MESSAGE" of each.
  std::string Deliveries() {
    std::string text;
    for (const state::ObjectPtr& delivery : cluster_.store().view().List(kDeliveries)) {
      const base::Value status = (*delivery)["status"];
      text += std::string(status["phase"].AsString("none")) + " " +
              std::to_string(status["attempts"].AsInt()) + " " +
              std::string(status["message"].AsString()) + "\n";
    }
    return text;
  }

  int count_ = 0;
  state::ScriptedHttpServer server_;  // of all Providers
  state::FakeHttpServers servers_;
  std::unique_ptr<state::HttpCaller> caller_;
  std::unique_ptr<state::ErrandRunner> errands_;
};

TEST_F(DeliveryTest, ADeployIsToldOnceAndTheDeliveryGoesLater) {
  const std::string commit = Deploy();
  ASSERT_EQ(server_.calls.size(), 1u);
  const HttpCall& call = server_.calls[0];
  EXPECT_EQ(call.method + " " + call.url, "POST https://hook/x");
  EXPECT_EQ(call.time_limit, kAttemptLimit);
  EXPECT_NE(call.body.find(commit), std::string::npos);
  EXPECT_EQ(HeaderOf(call, "webhook-id").size(), 36u);
  EXPECT_EQ(Deliveries(), "Delivered 1 the receiver answered 204\n");
  cluster_.Settle(kKeepDelivered);
  EXPECT_EQ(Deliveries(), "");
  EXPECT_EQ(server_.calls.size(), 1u);
  EXPECT_TRUE(errands_->Idle());
}

TEST_F(DeliveryTest, AFailedAttemptIsRepeatedWithTheSameIdAndBody) {
  server_.answers = {Answer(500), HttpAnswer{.status = base::Status(base::Code::kUnavailable,
                                                                    "h does not answer")}};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 500\n");
  cluster_.Settle(Duration::Seconds(7));
  EXPECT_EQ(Deliveries(), "Pending 2 h does not answer\n");
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_EQ(Deliveries(), "Delivered 3 the receiver answered 204\n");
  ASSERT_EQ(server_.calls.size(), 3u);
  EXPECT_EQ(HeaderOf(server_.calls[0], "webhook-id"), HeaderOf(server_.calls[2], "webhook-id"));
  EXPECT_EQ(server_.calls[0].body, server_.calls[2].body);
  EXPECT_LT(HeaderOf(server_.calls[0], "webhook-timestamp"),
            HeaderOf(server_.calls[2], "webhook-timestamp"));
}

TEST_F(DeliveryTest, TheLastAttemptIsHoursAfterTheFirst) {
  for (int64_t i = 0; i < kMaxAttempts; ++i) server_.answers.push_back(Answer(503));
  Deploy();
  cluster_.Settle(Duration::Hours(12));
  EXPECT_EQ(Deliveries().substr(0, 8), "Pending ");
  cluster_.Settle(Duration::Hours(10));
  EXPECT_EQ(Deliveries(), "GivenUp 12 the receiver answered 503; that was the last attempt\n");
  cluster_.Settle(kKeepGivenUp);
  EXPECT_EQ(Deliveries(), "");
  EXPECT_EQ(server_.calls.size(), static_cast<size_t>(kMaxAttempts));
}

TEST_F(DeliveryTest, AReceiverThatIsGoneIsToldNoMore) {
  server_.answers = {Answer(410)};
  Deploy();
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(Deliveries(), "GivenUp 1 the receiver answered 410: it wants no more\n");
  EXPECT_EQ(server_.calls.size(), 1u);
}

TEST_F(DeliveryTest, ARedirectIsAFailure) {
  server_.answers = {Answer(302)};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 302; redirects are not followed\n");
}

TEST_F(DeliveryTest, RetryAfterMakesThePauseLonger) {
  server_.answers = {HttpAnswer{.code = 429, .headers = {{"retry-after", "600"}}}};
  Deploy();
  cluster_.Settle(Duration::Minutes(9));
  EXPECT_EQ(server_.calls.size(), 1u);
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(server_.calls.size(), 2u);
}

TEST_F(DeliveryTest, ASuspendedProviderWaitsAndAnUnsuspendedOneIsToldAtOnce) {
  SetProvider(", suspend: true");
  Deploy();
  cluster_.Settle(Duration::Hours(30));
  EXPECT_EQ(server_.calls.size(), 0u);
  SetProvider("");
  cluster_.Settle();
  EXPECT_EQ(Deliveries(), "Delivered 1 the receiver answered 204\n");
}

TEST_F(DeliveryTest, AClockThatIsSetBackDoesNotMakeAWaitLonger) {
  server_.answers = {Answer(503)};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 503\n");
  cluster_.loop.JumpWallClock(Duration::Hours(-2));
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(Deliveries(), "Delivered 2 the receiver answered 204\n");
}

TEST_F(DeliveryTest, AMissingSecretIsAFailedAttemptAndAMissingProviderEndsIt) {
  cluster_.Delete("secrets", "plumb-system", "s");
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 there is no Secret \"s\" with the key token\n");
  EXPECT_EQ(server_.calls.size(), 0u);
  cluster_.Delete(kProviders, "plumb-system", "hook");
  cluster_.Settle();
  EXPECT_EQ(Deliveries(), "GivenUp 1 its Provider is gone\n");
}

TEST_F(DeliveryTest, AProviderIsSentOneAtATimeAndOthersDoNotWaitForIt) {
  AddHook("team", "second");
  server_.latency = Duration::Seconds(3);
  Deploy();
  Deploy();
  Deploy();
  cluster_.Settle(Duration::Seconds(3));
  EXPECT_EQ(server_.calls.size(), 2u) << "one of each";
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_EQ(server_.calls.size(), 6u);
}

TEST_F(DeliveryTest, TheSecretsAddressComesBeforeTheProviders) {
  cluster_.Apply(
      std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: plumb-system}\n"
                  "stringData: {address: \"https://hook/secret\", token: ") +
      kToken + "}\n");
  Deploy();
  ASSERT_EQ(server_.calls.size(), 1u);
  EXPECT_EQ(server_.calls[0].url, "https://hook/secret");
}

TEST_F(DeliveryTest, WhatWasMadeForOneTypeIsNotSentAsAnother) {
  server_.answers = {Answer(503)};
  Deploy();
  cluster_.Apply(
      "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {name: hook, "
      "namespace: plumb-system}\nspec: {type: generic, address: \"https://hook/x\"}\n");
  cluster_.Settle(Duration::Minutes(1));
  EXPECT_EQ(Deliveries(), "GivenUp 1 its Provider is no standard-webhook any more\n");
  EXPECT_EQ(server_.calls.size(), 1u);
  Deploy();
  ASSERT_EQ(server_.calls.size(), 2u);
  EXPECT_EQ(HeaderOf(server_.calls[1], "Gotk-Component"), "plumb");
}

// As an earlier release made them.
TEST_F(DeliveryTest, ADeliveryWithoutATypeIsAStandardWebhook) {
  cluster_.Apply(
      "apiVersion: plumb.dev/v1\nkind: Delivery\nmetadata: {name: old, namespace: plumb-system}\n"
      "spec: {provider: hook, event: dev.plumb.deploy.healthy, body: \"{}\"}\n");
  cluster_.Settle();
  EXPECT_EQ(Deliveries(), "Delivered 1 the receiver answered 204\n");
  ASSERT_EQ(server_.calls.size(), 1u);
  EXPECT_EQ(HeaderOf(server_.calls[0], "webhook-signature").substr(0, 3), "v1,");
}

TEST_F(DeliveryTest, ADeletedDeliveryIsNotSentAgain) {
  server_.answers = {Answer(500)};
  Deploy();
  const std::string name = (*cluster_.store().view().List(kDeliveries).begin())->key.name;
  cluster_.Delete(kDeliveries, "plumb-system", name);
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(server_.calls.size(), 1u);
}

TEST_F(DeliveryTest, AClockThatGoesBackHoldsNothingUpForLong) {
  server_.answers = {Answer(500)};
  Deploy();
  cluster_.loop.JumpWallClock(Duration::Hours(-24 * 365));
  cluster_.Settle(state::kMaxRetryAfter + Duration::Hours(2));
  EXPECT_EQ(server_.calls.size(), 2u);
}

// The process ends after every step of the loop in turn: each deploy is told, under one id.
TEST_F(DeliveryTest, WhereverItCrashesEveryDeployIsToldUnderOneId) {
  int crashes = 0;
  for (bool ended = false; !ended; ++crashes) {
    const std::string name = "step " + std::to_string(crashes);
    server_.calls.clear();
    const std::string commit = Push({{"conf.yaml", std::string(kConfig) + "# " + Next() + "\n"}});
    const uint64_t stop_at = cluster_.loop.turns() + static_cast<uint64_t>(crashes);
    ended = !cluster_.loop.RunUntil([&] { return cluster_.loop.turns() >= stop_at; },
                                    Duration::Seconds(3));
    Restart();
    cluster_.Settle(Duration::Seconds(3));
    std::set<std::string> ids;
    for (const HttpCall& call : server_.calls) {
      EXPECT_NE(call.body.find(commit), std::string::npos) << name;
      ids.insert(HeaderOf(call, "webhook-id"));
    }
    EXPECT_EQ(ids.size(), 1u) << name;
    EXPECT_LE(server_.calls.size(), 2u) << name;
    ASSERT_LT(crashes, 90);
  }
  EXPECT_GT(crashes, 8);
}

}  // namespace
}  // namespace gitsync
