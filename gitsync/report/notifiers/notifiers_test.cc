// What each type of Provider is sent.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "gitsync/report/notifiers/notifier.h"
#include "gitsync/report/notifiers/webhook_signature.h"

namespace gitsync {
namespace {

using base::Json;
using base::WallTime;

constexpr char kToken[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string kCommit(40, 'a');

state::ObjectPtr Object(Json json) {
  return std::make_shared<const state::Object>(state::Object{
      .key = {"x", "plumb-system", std::string(std::as_const(json)["metadata"]["name"].AsString())},
      .document = base::Document(json)});
}

class NotifiersTest : public testing::Test {
 protected:
  NotifiersTest() {
    deploy_.repository = deploy_.application = "shop";
    deploy_.revision = "main@sha1:" + kCommit;
    deploy_.since = *WallTime::Parse("2026-11-23T03:09:54Z");
  }

  void Fail(const std::string& message) {
    deploy_.phase = DeployPhase::kFailed;
    deploy_.message = message;
  }
  void SetSecret(const std::string& key, const std::string& text) {
    data_.Set(key, base::Base64Encode(text));
  }

  std::string Body(const std::string& type) {
    const state::ObjectPtr application = Object(
        Json::MakeObject({{"apiVersion", "kustomize.toolkit.fluxcd.io/v1"},
                          {"kind", "Kustomization"},
                          {"metadata", Json::MakeObject({{"name", "shop"}, {"uid", "7d0c"}})}}));
    return FindNotifier(type)->body(
        {.deploy = deploy_,
         .application = *application,
         .id = "7-aaaaaaaaaaaa",
         .source = "https://plumb/git/shop.git",
         .metadata = Json::MakeObject({{"env", "test"}, {"summary", "all of it"}})});
  }

  // The headers of a call with the body "{}", a line each; or what is wrong.
  std::string Headers(const std::string& type) {
    const ProviderSecret secret{
        "s", Object(Json::MakeObject({{"metadata", Json::MakeObject()}, {"data", data_}}))};
    state::HttpCall call{.url = "https://h/", .body = "{}"};
    const base::Status status = FindNotifier(type)->address(
        {.id = "0f0e-1", .now = WallTime::FromSeconds(1'790'000'000), .secret = secret}, call);
    if (!status.ok()) return std::string(status.message());
    std::string text;
    for (const auto& [name, value] : call.headers) text += name + ": " + value + "\n";
    return text;
  }

  Deploy deploy_;
  Json data_ = Json::MakeObject();  // of the Provider's Secret
};

TEST_F(NotifiersTest, TheTableHasEachTypeOnce) {
  std::string types;
  for (const Notifier* each : AllNotifiers()) {
    EXPECT_EQ(FindNotifier(each->type), each);
    types += std::string(each->type) + " ";
  }
  EXPECT_EQ(types, "generic generic-hmac standard-webhook ");
  EXPECT_EQ(FindNotifier("slack"), nullptr);
}

TEST_F(NotifiersTest, AStandardWebhookIsACloudEvent) {
  Fail("it broke");
  EXPECT_EQ(Body("standard-webhook"),
            "{\"data\":{\"branch\":\"main\",\"commit\":\"" + kCommit +
                "\",\"message\":\"it broke\",\"metadata\":{\"env\":\"test\",\"summary\":\"all of "
                "it\"},\"outcome\":\"failed\",\"repository\":\"shop\",\"revision\":\"main@sha1:" +
                kCommit +
                "\",\"severity\":\"error\"},\"datacontenttype\":\"application/json\",\"id\":"
                "\"7-aaaaaaaaaaaa\",\"source\":\"https://plumb/git/shop.git\",\"specversion\":"
                "\"1.0\",\"subject\":\"main@sha1:" +
                kCommit +
                "\",\"time\":\"2026-11-23T03:09:54Z\",\"type\":\"dev.plumb.deploy.failed\"}");
}

TEST_F(NotifiersTest, AStandardWebhookIsSignedWithItsIdAndTime) {
  SetSecret("token", std::string(kToken) + "\n");
  EXPECT_EQ(Headers("standard-webhook"),
            "Content-Type: application/cloudevents+json; charset=utf-8\n"
            "User-Agent: plumb\n"
            "webhook-id: 0f0e-1\n"
            "webhook-timestamp: 1790000000\n"
            "webhook-signature: " +
                SignWebhook(*ParseSigningSecret(kToken), "0f0e-1",
                            WallTime::FromSeconds(1'790'000'000), "{}") +
                "\n");
}

TEST_F(NotifiersTest, ASecretThatIsMissingOrWrongIsAFailureThatDoesNotTellIt) {
  EXPECT_EQ(Headers("standard-webhook"), "there is no Secret \"s\" with the key token");
  EXPECT_EQ(Headers("generic-hmac"), "there is no Secret \"s\" with the key token");
  SetSecret("token", "hunter2");
  const std::string wrong = Headers("standard-webhook");
  EXPECT_EQ(wrong.substr(0, 43), "the Secret's token is no signing secret: it");
  EXPECT_EQ(wrong.find("hunter2"), std::string::npos);
}

TEST_F(NotifiersTest, GenericIsFluxsEvent) {
  Fail("it broke");
  EXPECT_EQ(Body("generic"),
            "{\"involvedObject\":{\"apiVersion\":\"kustomize.toolkit.fluxcd.io/v1\",\"kind\":"
            "\"Kustomization\",\"name\":\"shop\",\"namespace\":\"plumb-system\",\"uid\":\"7d0c\"},"
            "\"message\":\"it broke\",\"metadata\":{\"env\":\"test\",\"revision\":\"main@sha1:" +
                kCommit +
                "\",\"summary\":\"all of it\"},\"reason\":\"HealthCheckFailed\","
                "\"reportingController\":\"plumb\",\"severity\":\"error\",\"timestamp\":"
                "\"2026-11-23T03:09:54Z\"}");
  EXPECT_EQ(Body("generic"), Body("generic-hmac"));
}

TEST_F(NotifiersTest, AFluxEventAlwaysHasAMessageAndAReason) {
  const auto said = [this](DeployPhase phase) {
    deploy_.phase = phase;
    const Json body = *base::ParseJson(Body("generic"));
    return std::string(body["severity"].AsString()) + " " + std::string(body["reason"].AsString()) +
           ": " + std::string(body["message"].AsString());
  };
  EXPECT_EQ(said(DeployPhase::kHealthy),
            "info ReconciliationSucceeded: deploy of main@sha1:" + kCommit + ": healthy");
  EXPECT_EQ(said(DeployPhase::kSuperseded),
            "info Superseded: deploy of main@sha1:" + kCommit + ": superseded");
}

TEST_F(NotifiersTest, GenericNeedsNoSecret) {
  EXPECT_EQ(Headers("generic"),
            "Content-Type: application/json\nUser-Agent: plumb\nGotk-Component: plumb\n");
}

TEST_F(NotifiersTest, HeadersOfTheSecretAreAddedAndReplace) {
  SetSecret("headers", "Authorization: Bearer x\nuser-agent: me\nX-Number: 7\n");
  EXPECT_EQ(Headers("generic"),
            "Content-Type: application/json\nUser-Agent: me\nGotk-Component: plumb\n"
            "Authorization: Bearer x\nX-Number: 7\n");
  for (const char* framing : {"host", "Content-Length", "Transfer-Encoding", "CONNECTION"}) {
    SetSecret("headers", std::string(framing) + ": x\n");
    EXPECT_EQ(Headers("generic"), "the Secret's headers may not set " + std::string(framing));
  }
  for (const char* wrong : {"[a]", "a: [b]", "a: {", "just text", "a: 1\n---\nb: 2\n"}) {
    SetSecret("headers", wrong);
    EXPECT_EQ(Headers("generic"), "the Secret's headers are no mapping of names to texts in YAML")
        << wrong;
  }
}

// The digest is what openssl dgst -sha256 -hmac hush says of "{}".
TEST_F(NotifiersTest, GenericHmacSignsTheBody) {
  SetSecret("token", "hush");
  SetSecret("headers", "X-Signature: mine\n");
  const std::string headers = Headers("generic-hmac");
  EXPECT_EQ(
      headers.substr(headers.find("X-Signature: ")),
      "X-Signature: sha256=505c20ac604f662945b662a1f13a9ca2f03bf0b1986f505d5aef48e10da8c918\n");
}

// The example of the specification's own libraries.
TEST(WebhookSignatureTest, SignsAsTheSpecificationsExample) {
  const auto key = ParseSigningSecret(kToken);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(SignWebhook(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", WallTime::FromSeconds(1614265330),
                        "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignatureTest, ASecretHasTwentyFourToSixtyFourBytes) {
  const auto length = [](const std::string& text) {
    const auto key = ParseSigningSecret(text);
    return key.ok() ? std::to_string(key->size()) : "refused";
  };
  EXPECT_EQ(length(base::Base64Encode(std::string(23, 'x'))), "refused");
  EXPECT_EQ(length(base::Base64Encode(std::string(24, 'x'))), "24");
  EXPECT_EQ(length("whsec_" + base::Base64Encode(std::string(64, 'x')) + "\n"), "64");
  EXPECT_EQ(length("whsec_" + base::Base64Encode(std::string(65, 'x'))), "refused");
  EXPECT_EQ(length("whsec_not base64!"), "refused");
  EXPECT_EQ(length(""), "refused");
}

}  // namespace
}  // namespace gitsync
