#include "gitsync/report/webhook_event.h"

#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

class WebhookEventTest : public testing::Test {
 protected:
  WebhookEventTest() {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(CreateRepository(draft, "all", {}, "https://plumb/git/all.git").ok());
    RepositorySettings narrow;
    narrow.scope.namespaces = {"team"};
    EXPECT_TRUE(CreateRepository(draft, "team-app", narrow, "https://plumb/git/team-app.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    cluster_.AddNamespace("team");
    cluster_.AddNamespace("other");
  }

  void AddAlert(const std::string& ns, const std::string& name, const std::string& spec,
                const std::string& type = "standard-webhook") {
    cluster_.Apply(
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\n"
        "metadata: {name: hook, namespace: " +
        ns + "}\nspec: {type: " + type +
        ", address: \"https://h\", secretRef: {name: s}}\n---\n"
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n"
        "metadata: {name: " +
        name + ", namespace: " + ns + "}\nspec: {providerRef: {name: hook}, " + spec + "}\n");
  }

  void End(const std::string& repository, DeployPhase outcome = DeployPhase::kHealthy) {
    Deploy deploy;
    deploy.repository = deploy.application = repository;
    deploy.phase = outcome;
    deploy.revision = RevisionText("main", std::string(40, 'a'));
    deploy.message = outcome == DeployPhase::kFailed ? "it broke" : "";
    deploy.since = *base::WallTime::Parse("2026-11-23T03:09:54Z");
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    StageDeliveries(draft, deploy);
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  // "NAMESPACE ALERT EVENT" of every Delivery, in order.
  std::string Deliveries() {
    std::string text;
    for (const state::ObjectPtr& delivery : cluster_.store().view().List(kDeliveries)) {
      const base::Value spec = (*delivery)["spec"];
      text += delivery->key.ns + " " + std::string(spec["alert"].AsString()) + " " +
              std::string(spec["event"].AsString()) + "\n";
    }
    return text;
  }

  state::TestCluster cluster_;
};

constexpr char kAny[] = "eventSources: [{kind: Kustomization, name: \"*\"}]";

TEST_F(WebhookEventTest, AnAlertInPlumbSystemHearsOfEveryRepository) {
  AddAlert("plumb-system", "a", kAny);
  End("all");
  End("team-app", DeployPhase::kFailed);
  EXPECT_EQ(Deliveries(),
            "plumb-system a dev.plumb.deploy.healthy\nplumb-system a dev.plumb.deploy.failed\n");
}

TEST_F(WebhookEventTest, AnAlertElsewhereHearsOfRepositoriesThatMayTouchItsNamespace) {
  AddAlert("team", "a", kAny);
  AddAlert("other", "b", kAny);
  End("team-app");
  EXPECT_EQ(Deliveries(), "team a dev.plumb.deploy.healthy\n");
  End("all");
  EXPECT_EQ(Deliveries(),
            "other b dev.plumb.deploy.healthy\nteam a dev.plumb.deploy.healthy\n"
            "team a dev.plumb.deploy.healthy\n");
}

TEST_F(WebhookEventTest, SourceSeverityAndSuspensionNarrowIt) {
  AddAlert("plumb-system", "named", "eventSources: [{kind: Kustomization, name: team-app}]");
  AddAlert("plumb-system", "errors", std::string("eventSeverity: error, ") + kAny);
  AddAlert("plumb-system", "silent", std::string("suspend: true, ") + kAny);
  AddAlert("plumb-system", "kind", "eventSources: [{kind: GitRepository, name: \"*\"}]");
  AddAlert("plumb-system", "place",
           "eventSources: [{kind: Kustomization, name: \"*\", namespace: team}]");
  AddAlert("plumb-system", "labels",
           "eventSources: [{kind: Kustomization, name: \"*\", matchLabels: {tier: web}}]");
  End("all");
  EXPECT_EQ(Deliveries(), "");
  End("all", DeployPhase::kFailed);
  EXPECT_EQ(Deliveries(), "plumb-system errors dev.plumb.deploy.failed\n");
  End("team-app", DeployPhase::kSuperseded);
  EXPECT_EQ(Deliveries(),
            "plumb-system errors dev.plumb.deploy.failed\n"
            "plumb-system named dev.plumb.deploy.superseded\n");
}

TEST_F(WebhookEventTest, ProvidersOfOtherTypesAreNotActedOn) {
  AddAlert("plumb-system", "a", kAny, "slack");
  End("all");
  EXPECT_EQ(Deliveries(), "");
}

TEST_F(WebhookEventTest, ADeliveryHoldsWhatItsProvidersTypeIsSent) {
  AddAlert("plumb-system", "a", std::string("eventMetadata: {env: test}, summary: sum, ") + kAny,
           "generic");
  const std::string number = std::to_string(cluster_.store().revision());
  End("all", DeployPhase::kFailed);
  const state::ObjectPtr delivery = cluster_.Get(kDeliveries, "plumb-system", "a-" + number);
  ASSERT_NE(delivery, nullptr);
  const base::Value spec = (*delivery)["spec"];
  EXPECT_EQ(spec["type"].AsString(), "generic");
  EXPECT_EQ(spec["subject"].AsString(), "main@sha1:" + std::string(40, 'a'));
  const base::Json body = *base::ParseJson(spec["body"].AsString());
  EXPECT_EQ(body["involvedObject"]["name"].AsString(), "all");
  EXPECT_EQ(body["involvedObject"]["uid"].AsString(),
            cluster_.Get(kKustomizations, "plumb-system", "all")->Uid());
  EXPECT_EQ(body["metadata"].ToString(), "{\"env\":\"test\",\"revision\":\"main@sha1:" +
                                             std::string(40, 'a') + "\",\"summary\":\"sum\"}");
}

// What was accepted and did nothing begins with nothing but somebody's wish.
TEST_F(WebhookEventTest, ProvidersFromBeforeStayQuietUntilTheyAreChanged) {
  AddAlert("plumb-system", "a", kAny, "generic");
  AddAlert("other", "b", kAny);
  const auto hold = [this] {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    HoldProviders(draft);
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  };
  hold();
  const state::Revision before = cluster_.store().revision();
  hold();
  EXPECT_EQ(cluster_.store().revision(), before);
  End("all");
  EXPECT_EQ(Deliveries(), "other b dev.plumb.deploy.healthy\n");
  cluster_.Apply(
      "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\n"
      "metadata: {name: hook, namespace: plumb-system}\n"
      "spec: {type: generic, address: \"https://new\"}\n");
  End("all");
  EXPECT_EQ(Deliveries(),
            "other b dev.plumb.deploy.healthy\nother b dev.plumb.deploy.healthy\n"
            "plumb-system a dev.plumb.deploy.healthy\n");
}

// The id is the event's: the revision before it and the commit.
TEST_F(WebhookEventTest, AllThatHearOfAnEventAreToldItsIdAndWhereItIsFrom) {
  AddAlert("plumb-system", "a", kAny);
  AddAlert("other", "b", kAny);
  const std::string number = std::to_string(cluster_.store().revision());
  End("all");
  const std::pair<const char*, const char*> hearers[] = {{"plumb-system", "a-"}, {"other", "b-"}};
  for (const auto& [ns, name] : hearers) {
    const state::ObjectPtr delivery = cluster_.Get(kDeliveries, ns, name + number);
    ASSERT_NE(delivery, nullptr) << ns;
    const base::Json body = *base::ParseJson((*delivery)["spec"]["body"].AsString());
    EXPECT_EQ(body["id"].AsString(), number + "-aaaaaaaaaaaa");
    EXPECT_EQ(body["source"].AsString(), "https://plumb/git/all.git");
  }
}

TEST_F(WebhookEventTest, TooManyMakeRoomTheOldestFirstAndThoseThatArrivedBeforeAll) {
  AddAlert("plumb-system", "a", kAny);
  for (size_t i = 0; i < kMaxDeliveries; ++i) {
    End("all");
    cluster_.Settle();
  }
  std::vector<std::string> names;
  for (const state::ObjectPtr& delivery : cluster_.store().view().List(kDeliveries)) {
    names.push_back(delivery->key.name);
  }
  ASSERT_EQ(names.size(), kMaxDeliveries);
  const auto number = [](const std::string& name) { return std::stoul(name.substr(2)); };
  std::sort(names.begin(), names.end(),
            [&](const auto& a, const auto& b) { return number(a) < number(b); });
  cluster_.SetStatus(kDeliveries, "plumb-system", names[5], "{phase: Delivered}");
  End("all");
  EXPECT_EQ(cluster_.Get(kDeliveries, "plumb-system", names[5]), nullptr);
  End("all");
  EXPECT_EQ(cluster_.Get(kDeliveries, "plumb-system", names[0]), nullptr);
  EXPECT_NE(cluster_.Get(kDeliveries, "plumb-system", names[1]), nullptr);
}

}  // namespace
}  // namespace gitsync
