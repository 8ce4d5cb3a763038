// What is no request of the REST API: Git, plumb's own verbs, and what a credential is bound to.
#include "state/authorize.h"

#include <gtest/gtest.h>

#include "state/own_secrets.h"
#include "state/testing/test_cluster.h"

namespace state {
namespace {

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    cluster_.AddNode("n1");
    cluster_.AddNamespace("plumb-system");
    AddRepository("shop", "");
    AddRepository("open", ", annotations: {plumb.dev/viewers-may-fetch: \"true\"}");
  }
  void AddRepository(const std::string& name, const std::string& metadata) {
    cluster_.Apply(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: " + name +
        ", namespace: plumb-system" + metadata +
        "}\nspec: {interval: 1m, url: \"https://localhost/git/x.git\"}\n");
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: "
        "app-of-" +
        name +
        ", namespace: plumb-system}\nspec: {interval: 1m, prune: true, sourceRef: {kind: "
        "GitRepository, name: " +
        name + "}}\n");
  }
  std::string May(const base::Identity& identity, std::string_view verb,
                  const AccessObject& object) const {
    return Authorize(identity, verb, object, cluster_.store().view()).ok() ? "yes " : "no ";
  }
  // Fetch from, push to shop and open; sync, suspend, and get the application of shop.
  std::string Uses(const base::Identity& identity) const {
    std::string answers;
    for (const char* repository : {"shop", "open"}) {
      answers += May(identity, kFetch, RepositoryObject(repository)) +
                 May(identity, kPush, RepositoryObject(repository));
    }
    for (const std::string_view verb : {kSync, kSuspend, std::string_view("get")})
      answers += May(identity, verb, ApplicationObject("app-of-shop"));
    return answers;
  }

  TestCluster cluster_;
};

TEST_F(AccessTest, NodesUseNoGitAndViewersFetchWhereTheRepositoryLetsThem) {
  EXPECT_EQ(Uses({"root", {"plumb:admin"}}), "yes yes yes yes yes yes yes ");
  EXPECT_EQ(Uses({"dan", {"plumb:deployer"}}), "yes yes yes yes yes yes yes ");
  EXPECT_EQ(Uses({"eve", {"plumb:viewer"}}), "no no yes no no no yes ");
  EXPECT_EQ(Uses({"system:node:n1", {"system:nodes"}}), "no no no no no no no ");
  EXPECT_EQ(Uses({"mallory", {}}), "no no no no no no no ");
  EXPECT_EQ(Uses({}), "no no no no no no no ");
}

TEST_F(AccessTest, ABoundTokenReachesItsRepositoriesAndWhatIsDeployedOfThem) {
  const base::Identity bound{"ci", {"plumb:deployer"}, {.repositories = {"shop"}}};
  EXPECT_EQ(Uses(bound), "yes yes no no yes yes yes ");
  EXPECT_EQ(May(bound, "get", ApplicationObject("app-of-open")), "no ");
  EXPECT_EQ(May(bound, "list", {.key = {"pods", "default", ""}}), "no ");
  EXPECT_EQ(May(bound, "create", {.key = {"pods", "default", "x"}}), "no ");
  EXPECT_EQ(May(bound, "get", {.path = "/apis"}), "yes ");
  base::Identity admin{"ci", {"plumb:admin"}, {.repositories = {"shop"}}};
  EXPECT_EQ(Uses(admin), "yes yes no no yes yes yes ");
  EXPECT_EQ(May(admin, "get", {.path = "/plumb/v1/backup"}), "no ");
  EXPECT_EQ(May(admin, "create", {.key = {std::string(kTokenResource), "", ""}}), "no ");
  EXPECT_EQ(
      Authorize(admin, "list", {.key = {"pods", "default", ""}}, cluster_.store().view()).message(),
      "pods is forbidden: User \"ci\" cannot list resource \"pods\" in API group \"\" in the "
      "namespace \"default\": the token is bound to the repositories shop");
}

TEST_F(AccessTest, ABoundTokenHasItsVerbsAndNoMoreThanItsRole) {
  EXPECT_EQ(Uses({"ci", {"plumb:deployer"}, {.repositories = {"shop"}, .verbs = {"fetch"}}}),
            "yes no no no no no no ");
  EXPECT_EQ(Uses({"ci", {"plumb:viewer"}, {.verbs = {"fetch", "push"}}}), "no no yes no no no no ");
  EXPECT_EQ(Uses({"ci", {"plumb:deployer"}, {.branches = {"main"}}}), "yes yes yes yes no no no ");
}

TEST_F(AccessTest, TokensAndBackupsAreForAdministrators) {
  const AccessObject tokens{.key = {std::string(kTokenResource), "", ""}};
  for (const char* role : {"plumb:deployer", "plumb:viewer"}) {
    EXPECT_EQ(May({"x", {role}}, "list", tokens) + May({"x", {role}}, "create", tokens) +
                  May({"x", {role}}, "get", {.path = "/plumb/v1/backup"}),
              "no no no ");
  }
}

}  // namespace
}  // namespace state
