// The reports of plumb status and the pages made of them.
#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "plumb/reports/status_report.h"
#include "plumb/reports/status_text.h"
#include "state/draft.h"
#include "state/pod_security.h"
#include "state/testing/test_cluster.h"

namespace plumb {
namespace {

constexpr char kWeb[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";

class StatusTest : public testing::Test {
 protected:
  std::string Page(const std::string& ns = "") {
    base::Json report = ClusterStatus(cluster_.store().view(), ns);
    report.Set("version", "1");
    return Text(report);
  }
  std::string Object(const StatusQuery& query) {
    const auto report = ObjectStatus(cluster_.store().view(), query);
    return report.ok() ? Text(*report) : std::string(report.status().message()) + "\n";
  }
  std::string Text(const base::Json& report) {
    return StatusText(report, "https://s", cluster_.loop.now().wall, Style());
  }

  void AddWeb() {
    cluster_.AddNode("n1");
    cluster_.Apply(kWeb);
    const std::string uid = cluster_.Field("deployments.apps", "default", "web", "metadata.uid");
    cluster_.Apply(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web-1\n  labels: {app: web}\n"
        "  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: " +
        uid +
        ", controller: true}]\n"
        "spec: {nodeName: n1, containers: [{name: web, image: 'hello:1'}]}\n");
    cluster_.SetStatus("deployments.apps", "default", "web",
                       "{observedGeneration: 1, replicas: 1, updatedReplicas: 1}");
  }

  state::TestCluster cluster_;
};

TEST_F(StatusTest, DataThatIsOlderThanPodSecurityIsNamed) {
  cluster_.AddNamespace("plumb-system");
  EXPECT_NE(Page().find(state::kUnconfinedSentence), std::string::npos);
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(state::SetDefaultPodSecurity(draft, manifests::PodSecurityLevel::kBaseline).ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  EXPECT_EQ(Page().find(state::kUnconfinedSentence), std::string::npos);
}

TEST_F(StatusTest, AnEmptyServerSaysWhatToDo) {
  EXPECT_EQ(Page(),
            "plumb 1 at https://s, no nodes yet; plumb agent --help says how one joins\n\n"
            "No repository yet. 'plumb repo create NAME' makes one; a push to it is a deploy.\n\n"
            "✓ all objects are healthy\n");
}

TEST_F(StatusTest, WhatIsNotHealthySaysWhy) {
  AddWeb();
  cluster_.SetStatus("pods", "default", "web-1",
                     "{phase: Running, containerStatuses: [{name: web, restartCount: 3, state: "
                     "{waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, "
                     "reason: Error}}}]}");
  EXPECT_NE(Page().find("… deployments.apps default/web   0/1 available; pod web-1: container web: "
                        "CrashLoopBackOff, last exit 1 (Error)\n"),
            std::string::npos)
      << Page();
  EXPECT_EQ(Page("elsewhere").find("default/web"), std::string::npos);
}

TEST_F(StatusTest, AnObjectIsShownWithAllThatBelongsToIt) {
  AddWeb();
  EXPECT_EQ(Object({.kind = "deploy", .name = "web"}),
            "… deployments.apps default/web   0/1 available  hello:1\n"
            "└─… pods default/web-1           starting  n1\n");
}

TEST_F(StatusTest, ARepositoryIsShownWithItsDeployAndItsObjects) {
  cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n");
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(gitsync::CreateRepository(draft, "site", {}, "https://s/git/site.git").ok());
  ASSERT_TRUE(gitsync::RecordInventory(draft, "site", {{"configmaps", "default", "conf"}}).ok());
  gitsync::Deploy deploy{.revision = "main@sha1:0123456789abcdef", .tree = "T"};
  ASSERT_TRUE(gitsync::RecordDeploy(draft, "site", deploy).ok());
  deploy.phase = gitsync::DeployPhase::kFailed;
  ASSERT_TRUE(gitsync::RecordDeploy(draft, "site", deploy).ok());
  ASSERT_TRUE(gitsync::RecordReady(draft, "site", "False", "HealthCheckFailed", "it broke").ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  cluster_.Settle(base::Duration::Minutes(5));
  EXPECT_NE(Page().find("  REPOSITORY   REVISION       STATE    SINCE    OBJECTS\n"
                        "✗ site         main@0123456   failed   5m ago   1\n"
                        "  site: it broke\n"),
            std::string::npos)
      << Page();
  EXPECT_EQ(Object({.kind = "repo", .name = "site"}),
            "✗ repository site             it broke  main@sha1:0123456789abcdef\n"
            "└─✓ configmaps default/conf\n");
}

TEST_F(StatusTest, NothingOfAnObjectSteersTheTerminal) {
  const std::string evil =
      "\x1b]0;title\x07\x1b[2J\xc2\x9b"
      "8m\nall objects are healthy \xe2\x80\xae";
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(gitsync::CreateRepository(draft, "site", {}, "https://s/git/site.git").ok());
  ASSERT_TRUE(gitsync::RecordReady(draft, "site", "False", "HealthCheckFailed", evil).ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  for (const std::string& text : {Page(), Object({.kind = "repo", .name = "site"})}) {
    EXPECT_NE(text.find(" ]0;title  [2J 8m all objects are healthy ?"), std::string::npos) << text;
    EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos) << text;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << text;
  }
}

TEST_F(StatusTest, WhatIsNotThereIsSaidInASentence) {
  AddWeb();
  EXPECT_EQ(Object({.kind = "deploymnt", .name = "web"}),
            "there is no kind \"deploymnt\"; did you mean deployment?\n");
  EXPECT_EQ(Object({.kind = "pod", .name = "x"}), "there is no pod \"x\" in any namespace\n");
  EXPECT_EQ(Object({.ns = "shop", .kind = "deploy", .name = "web"}),
            "there is no deployment \"web\" in namespace shop\n");
  EXPECT_EQ(Object({.kind = "repo", .name = "x"}),
            "there is no repository \"x\"; plumb repo list names those there are\n");
}

TEST(TerminalTest, ColoursAndSignsTakeNoMoreThanTheirRoom) {
  EXPECT_EQ(TableText({{"✓ a", "x"}, {Style(true).Bad("bbbb"), "y"}}),
            "✓ a    x\n\033[31mbbbb\033[0m   y\n");
}

TEST(TerminalTest, AgesAreShort) {
  const base::WallTime now = base::WallTime::FromSeconds(1'000'000);
  const auto age = [&](int64_t seconds) {
    return AgeText((now - base::Duration::Seconds(seconds)).ToString(), now);
  };
  EXPECT_EQ(age(0) + " " + age(119) + " " + age(120) + " " + age(7200) + " " + age(3 * 86400),
            "0s 119s 2m 2h 3d");
  EXPECT_EQ(AgeText("", now), "");
}

}  // namespace
}  // namespace plumb
