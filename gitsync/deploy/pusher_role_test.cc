// Pushes by people of different roles: what REST refuses a role, a push does not bring about.
#include <gtest/gtest.h>

#include "gitsync/testing/applications_fixture.h"

namespace gitsync {
namespace {

class PusherRoleTest : public ApplicationsFixture {
 protected:
  PusherRoleTest() { cluster_.AddNamespace("kube-system"); }

  static std::string Secret(const std::string& ns, const std::string& value = "one") {
    return "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: " + ns +
           "}\nstringData: {k: " + value + "}\n";
  }
  static constexpr char kQuota[] =
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: \"9\"}}\n";
  static constexpr char kNode[] = "apiVersion: v1\nkind: Node\nmetadata: {name: mine}\n";

  void As(const std::string& role) { groups_ = {"plumb:" + role}; }
  // Of a refused push, the errors; else "accepted".
  std::string Outcome(const FakeGit::Files& files) {
    const std::string text = Push(files)->text;
    return text.find("exit 1") == std::string::npos ? "accepted" : text;
  }
  static std::string May(const std::string& what) {
    return "user \"ann\" may not " + what +
           " it, and a push does no more than whoever pushes may do; have an administrator push it";
  }
};

TEST_F(PusherRoleTest, WhatRestRefusesTheRoleIsRefusedAtItsLine) {
  const FakeGit::Files files = {{"front/a.yaml", Map("a")},
                                {"front/node.yaml", "# a node\n" + std::string(kNode)},
                                {"front/ns.yaml", kShop},
                                {"front/quota.yaml", kQuota},
                                {"front/s.yaml", Secret("kube-system")},
                                {"back/b.yaml", Map("b")}};
  As("deployer");
  EXPECT_EQ(Outcome(files),
            "front/ns.yaml:1:1: namespaces shop: " + May("create") + ", or leave it out\n" +
                "front/node.yaml:2:1: nodes mine: " + May("create") + ", or leave it out\n" +
                "front/quota.yaml:1:1: resourcequotas default/q: " + May("create") +
                ", or leave it out\n" +
                "front/s.yaml:1:1: secrets kube-system/s: " + May("create") +
                ", or leave it out\n" + "refused: 4 errors, nothing was changed\nexit 1\n");
  EXPECT_EQ(cluster_.Names("secrets"), "");
  As("viewer");
  EXPECT_NE(Outcome({{"front/a.yaml", Map("a")}}).find(May("create")), std::string::npos);
  groups_ = {};
  EXPECT_NE(Outcome({{"front/a.yaml", Map("a")}}).find(May("create")), std::string::npos);
  As("admin");
  EXPECT_EQ(Outcome(files), "accepted");
  EXPECT_EQ(cluster_.Names("secrets"), "kube-system/s");
}

// An object that keeps a manifest from being applied may go, and then it would be.
TEST_F(PusherRoleTest, WhatIsOnlyHeldBackByWhatIsThereIsBounded) {
  As("admin");
  EXPECT_EQ(Outcome({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}}), "accepted");
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 1}}\n");
  As("deployer");
  const std::string mine =
      "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: q\n  annotations: "
      "{kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}\nspec: {hard: {pods: \"999\"}}\n";
  EXPECT_NE(Outcome({{"front/a.yaml", Map("a")}, {"front/q.yaml", mine}, {"back/b.yaml", Map("b")}})
                .find("resourcequotas default/q: " + May("change")),
            std::string::npos);
}

TEST_F(PusherRoleTest, WhatAnAdministratorBroughtStaysInEverybodysPushes) {
  const FakeGit::Files admins = {
      {"front/a.yaml", Map("a")}, {"front/s.yaml", Secret("team")}, {"back/b.yaml", Map("b")}};
  ASSERT_EQ(Outcome(admins), "accepted");
  As("deployer");
  FakeGit::Files files = admins;
  files["front/a.yaml"] = Map("a", "two");
  EXPECT_EQ(Outcome(files), "accepted");
  EXPECT_EQ(cluster_.Field("configmaps", "default", "a", "data.a"), "\"two\"");
  Restart();  // nothing of what is applied is remembered
  files["front/a.yaml"] = Map("a", "three");
  EXPECT_EQ(Outcome(files), "accepted");

  files["front/s.yaml"] = Secret("team", "two");
  EXPECT_EQ(Outcome(files), "front/s.yaml:1:1: secrets team/s: " + May("change") +
                                ", or leave it out\n"
                                "refused: 1 error, nothing was changed\nexit 1\n");
  files.erase("front/s.yaml");
  EXPECT_EQ(Outcome(files), ".: secrets team/s: " + May("delete") +
                                ", or keep it in the commit\n"
                                "refused: 1 error, nothing was changed\nexit 1\n");
  files["back/s.yaml"] = Secret("team");  // moved, and as it was
  EXPECT_EQ(Outcome(files), "accepted");
  EXPECT_EQ(cluster_.Names("secrets"), "team/s");
}

TEST_F(PusherRoleTest, AWayBackIsNoWayToMoreRights) {
  const FakeGit::Files older = {
      {"front/a.yaml", Map("a")}, {"front/s.yaml", Secret("team")}, {"back/b.yaml", Map("b")}};
  FakeGit::Files newer = older;
  newer["front/s.yaml"] = Secret("team", "two");
  ASSERT_EQ(Outcome(older), "accepted");
  ASSERT_EQ(Outcome(newer), "accepted");
  As("deployer");
  EXPECT_NE(Outcome(older).find("front/s.yaml:1:1: secrets team/s: " + May("change")),
            std::string::npos);
}

TEST_F(PusherRoleTest, WhatWaitsForASuspendedApplicationIsBoundedNow) {
  Add("back", "path: ./back, targetNamespace: team, suspend: true");
  As("deployer");
  EXPECT_EQ(Outcome({{"front/a.yaml", Map("a")}, {"back/s.yaml", Secret("team")}}),
            "back/s.yaml:1:1: secrets team/s: " + May("create") +
                ", or leave it out\nrefused: 1 error, nothing was changed\nexit 1\n");
}

TEST_F(PusherRoleTest, ATokenThatIsBoundToBranchesMovesNoOther) {
  As("admin");
  branches_ = {"dev", "try"};
  EXPECT_EQ(Outcome({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}}),
            "refs/heads/main is not for this token, which is bound to the branches dev, try; push "
            "to one of them, or use another token\nexit 1\n");
  branches_ = {"main"};
  EXPECT_EQ(Outcome({{"front/a.yaml", Map("a")}, {"back/b.yaml", Map("b")}}), "accepted");
}

}  // namespace
}  // namespace gitsync
