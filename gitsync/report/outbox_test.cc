#include "gitsync/report/outbox.h"

#include "gitsync/report/webhook_event.h"
#include "gitsync/testing/engine_fixture.h"
#include "gitsync/testing/fake_webhook_sender.h"

namespace gitsync {
namespace {

using base::Duration;
using base::Status;
using base::WallTime;

WebhookAnswer Answer(int code, std::string retry_after = "") {
  return {Status(), code, std::move(retry_after)};
}

class OutboxTest : public EngineFixture {
 protected:
  OutboxTest() : sender_(cluster_.loop) {
    AddHook("plumb-system", "hook");
    cluster_.Settle();  // durable before any crash
    StartOutbox();
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
        ns + "}\nstringData: {token: hush}\n");
  }
  void SetProvider(const std::string& more) {
    cluster_.Apply(
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {name: "
        "hook, namespace: plumb-system}\nspec: {type: standard-webhook, address: "
        "\"https://hook/x\", secretRef: {name: s}" +
        more + "}\n");
  }

  void StartOutbox() {
    outbox_ =
        std::make_unique<Outbox>(cluster_.loop, cluster_.store(), cluster_.Context(), sender_);
  }
  void Restart() {
    outbox_.reset();
    Stop();
    sender_.sending = 0;
    Start();
    StartOutbox();
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
  FakeWebhookSender sender_;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, ADeployIsToldOnceAndTheDeliveryGoesLater) {
  const std::string commit = Deploy();
  ASSERT_EQ(sender_.calls.size(), 1u);
  const WebhookCall& call = sender_.calls[0];
  EXPECT_EQ(call.url, "https://hook/x");
  EXPECT_EQ(call.secret, "aHVzaA==");
  EXPECT_NE(call.body.find(commit), std::string::npos);
  EXPECT_EQ(call.id.size(), 36u);
  EXPECT_EQ(Deliveries(), "Delivered 1 the receiver answered 204\n");
  cluster_.Settle(kKeepDelivered);
  EXPECT_EQ(Deliveries(), "");
  EXPECT_EQ(sender_.calls.size(), 1u);
  EXPECT_TRUE(outbox_->Idle());
}

TEST_F(OutboxTest, AFailedAttemptIsRepeatedWithTheSameIdAndBody) {
  sender_.answers = {Answer(500), {Status(base::Code::kUnavailable, "h does not answer"), 0, ""}};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 500\n");
  cluster_.Settle(Duration::Seconds(7));
  EXPECT_EQ(Deliveries(), "Pending 2 h does not answer\n");
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_EQ(Deliveries(), "Delivered 3 the receiver answered 204\n");
  ASSERT_EQ(sender_.calls.size(), 3u);
  EXPECT_EQ(sender_.calls[0].id, sender_.calls[2].id);
  EXPECT_EQ(sender_.calls[0].body, sender_.calls[2].body);
  EXPECT_LT(sender_.calls[0].timestamp, sender_.calls[2].timestamp);
}

TEST_F(OutboxTest, TheLastAttemptIsHoursAfterTheFirst) {
  for (int64_t i = 0; i < kMaxAttempts; ++i) sender_.answers.push_back(Answer(503));
  Deploy();
  cluster_.Settle(Duration::Hours(12));
  EXPECT_EQ(Deliveries().substr(0, 8), "Pending ");
  cluster_.Settle(Duration::Hours(10));
  EXPECT_EQ(Deliveries(), "GivenUp 12 the receiver answered 503; that was the last attempt\n");
  cluster_.Settle(kKeepGivenUp);
  EXPECT_EQ(Deliveries(), "");
  EXPECT_EQ(sender_.calls.size(), static_cast<size_t>(kMaxAttempts));
}

TEST_F(OutboxTest, AReceiverThatIsGoneIsToldNoMore) {
  sender_.answers = {Answer(410)};
  Deploy();
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(Deliveries(), "GivenUp 1 the receiver answered 410: it wants no more\n");
  EXPECT_EQ(sender_.calls.size(), 1u);
}

TEST_F(OutboxTest, ARedirectIsAFailure) {
  sender_.answers = {Answer(302)};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 302; redirects are not followed\n");
}

TEST_F(OutboxTest, RetryAfterMakesThePauseLonger) {
  sender_.answers = {Answer(429, "600")};
  Deploy();
  cluster_.Settle(Duration::Minutes(9));
  EXPECT_EQ(sender_.calls.size(), 1u);
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(sender_.calls.size(), 2u);
}

TEST_F(OutboxTest, ASuspendedProviderWaitsAndAnUnsuspendedOneIsToldAtOnce) {
  SetProvider(", suspend: true");
  Deploy();
  cluster_.Settle(Duration::Hours(30));
  EXPECT_EQ(sender_.calls.size(), 0u);
  SetProvider("");
  cluster_.Settle();
  EXPECT_EQ(Deliveries(), "Delivered 1 the receiver answered 204\n");
}

TEST_F(OutboxTest, AClockThatIsSetBackDoesNotMakeAWaitLonger) {
  sender_.answers = {{base::Status(), 503, ""}};
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 the receiver answered 503\n");
  cluster_.loop.JumpWallClock(Duration::Hours(-2));
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(Deliveries(), "Delivered 2 the receiver answered 204\n");
}

TEST_F(OutboxTest, AMissingSecretIsAFailedAttemptAndAMissingProviderEndsIt) {
  cluster_.Delete("secrets", "plumb-system", "s");
  Deploy();
  EXPECT_EQ(Deliveries(), "Pending 1 there is no Secret \"s\" with the key token\n");
  EXPECT_EQ(sender_.calls.size(), 0u);
  cluster_.Delete(kProviders, "plumb-system", "hook");
  cluster_.Settle();
  EXPECT_EQ(Deliveries(), "GivenUp 1 its Provider is gone\n");
}

TEST_F(OutboxTest, AProviderIsSentOneAtATimeAndOthersDoNotWaitForIt) {
  AddHook("team", "second");
  sender_.latency = Duration::Seconds(3);
  Deploy();
  Deploy();
  Deploy();
  EXPECT_EQ(sender_.most_sending, 2u);
  cluster_.Settle(Duration::Seconds(20));
  EXPECT_EQ(sender_.calls.size(), 6u);
  EXPECT_EQ(sender_.most_sending, 2u);
}

TEST_F(OutboxTest, ADeletedDeliveryIsNotSentAgain) {
  sender_.answers = {Answer(500)};
  Deploy();
  const std::string name = (*cluster_.store().view().List(kDeliveries).begin())->key.name;
  cluster_.Delete(kDeliveries, "plumb-system", name);
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(sender_.calls.size(), 1u);
}

TEST_F(OutboxTest, AClockThatGoesBackHoldsNothingUpForLong) {
  sender_.answers = {Answer(500)};
  Deploy();
  cluster_.loop.JumpWallClock(Duration::Hours(-24 * 365));
  cluster_.Settle(kMaxRetryAfter + Duration::Hours(2));
  EXPECT_EQ(sender_.calls.size(), 2u);
}

// The process ends after every step of the loop in turn: each deploy is told, under one id.
TEST_F(OutboxTest, WhereverItCrashesEveryDeployIsToldUnderOneId) {
  int crashes = 0;
  for (bool ended = false; !ended; ++crashes) {
    const std::string name = "step " + std::to_string(crashes);
    sender_.calls.clear();
    const std::string commit = Push({{"conf.yaml", std::string(kConfig) + "# " + Next() + "\n"}});
    const uint64_t stop_at = cluster_.loop.turns() + static_cast<uint64_t>(crashes);
    ended = !cluster_.loop.RunUntil([&] { return cluster_.loop.turns() >= stop_at; },
                                    Duration::Seconds(3));
    Restart();
    cluster_.Settle(Duration::Seconds(3));
    std::set<std::string> ids;
    for (const WebhookCall& call : sender_.calls) {
      EXPECT_NE(call.body.find(commit), std::string::npos) << name;
      ids.insert(call.id);
    }
    EXPECT_EQ(ids.size(), 1u) << name;
    EXPECT_LE(sender_.calls.size(), 2u) << name;
    ASSERT_LT(crashes, 90);
  }
  EXPECT_GT(crashes, 8);
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
}  // namespace gitsync
