#include "plumb/server/vault.h"

#include <gtest/gtest.h>

#include "state/own_secrets.h"
#include "state/testing/test_cluster.h"

namespace plumb {
namespace {

class VaultTest : public testing::Test {
 protected:
  VaultTest() { cluster_.AddNamespace("plumb-system"); }

  state::Draft NewDraft() {
    state::DraftContext context = cluster_.Context();
    context.actor = state::VaultActor();
    return state::Draft(cluster_.store().view(), context);
  }
  std::string Commit(const base::Status& status, const state::Draft& draft) {
    if (!status.ok()) return status.ToString();
    return cluster_.store().Commit(draft.Finish()).status().ToString();
  }
  std::string Ensure(const std::function<base::Result<VaultContents>()>& first) {
    state::Draft draft = NewDraft();
    const base::Status status = EnsureVault(draft, first);
    return Commit(status, draft);
  }
  std::string Add(const TokenInfo& token) {
    state::Draft draft = NewDraft();
    const base::Status status = AddToken(draft, token);
    return Commit(status, draft);
  }
  std::string Remove(const std::string& name) {
    state::Draft draft = NewDraft();
    const base::Status status = RemoveToken(draft, name);
    return Commit(status, draft);
  }
  // What the Secrets are called, with their types.
  std::string Secrets() {
    std::string text;
    for (const state::ObjectPtr& secret : cluster_.store().view().List("secrets")) {
      text += secret->key.ToString() + " " + std::string((*secret)["type"].AsString()) + "\n";
    }
    return text;
  }
  std::string Read() {
    const base::Result<VaultContents> vault = ReadVault(cluster_.store().view());
    if (!vault.ok()) return vault.status().ToString();
    std::string text = vault->ca_certificate + ", " + vault->ca_key + ", " + vault->join_secret;
    for (const TokenInfo& token : vault->tokens) {
      text += ", " + token.name + " " + token.role + " " + token.sha256;
    }
    return text;
  }

  state::TestCluster cluster_;
};

const VaultContents kContents = {.ca_certificate = "certificate\n",
                                 .ca_key = "key\n",
                                 .join_secret = "join",
                                 .tokens = {{"ann", "admin", "00aa"}, {"ci", "deployer", "11bb"}}};

TEST_F(VaultTest, WhatIsPutInReadsBackAlsoAfterACrash) {
  EXPECT_EQ(Read(), "NotFound: the cluster has no certificate authority yet");
  EXPECT_EQ(Ensure([] { return kContents; }), "OK");
  EXPECT_EQ(Secrets(),
            "secrets plumb-system/plumb.ca kubernetes.io/tls\n"
            "secrets plumb-system/plumb.join plumb.dev/join\n"
            "secrets plumb-system/plumb.token.ann plumb.dev/token\n"
            "secrets plumb-system/plumb.token.ci plumb.dev/token\n");
  cluster_.Settle();
  cluster_.Crash();
  EXPECT_EQ(Read(), "certificate\n, key\n, join, ann admin 00aa, ci deployer 11bb");
}

TEST_F(VaultTest, AFilledVaultAsksForNothing) {
  EXPECT_EQ(Ensure([] { return kContents; }), "OK");
  const state::Revision revision = cluster_.store().revision();
  EXPECT_EQ(Ensure([]() -> base::Result<VaultContents> {
              ADD_FAILURE() << "asked again";
              return VaultContents();
            }),
            "OK");
  EXPECT_EQ(cluster_.store().revision(), revision);
}

// Somebody who knew its names before it was has no say in it.
TEST_F(VaultTest, NamesakesFromBeforeGo) {
  state::DraftContext context = cluster_.Context();
  context.actor = state::VaultActor();  // the only one who may, now
  state::Draft draft(cluster_.store().view(), context);
  for (const char* secret : {R"({"apiVersion":"v1","kind":"Secret","type":"plumb.dev/token",
            "metadata":{"name":"plumb.token.x","namespace":"plumb-system","finalizers":["a/b"]},
            "data":{"name":"eA==","role":"YWRtaW4=","sha256":"MDA="}})",
                             R"({"apiVersion":"v1","kind":"Secret",
            "metadata":{"name":"plumb.join","namespace":"plumb-system"}})"}) {
    ASSERT_EQ(draft.Create(*base::ParseJson(secret)).status().ToString(), "OK");
  }
  ASSERT_EQ(Commit(base::Status(), draft), "OK");
  EXPECT_EQ(Ensure([] { return VaultContents{"certificate", "key", "join", {}}; }), "OK");
  EXPECT_EQ(Read(), "certificate, key, join");
}

// A cluster that somebody has set up so opens all the same.
TEST_F(VaultTest, NoQuotaKeepsItEmpty) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: plumb-system}\n"
      "spec: {hard: {secrets: 0}}\n");
  EXPECT_NE(
      cluster_.Try("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: plumb-system}\n")
          .find("exceeded quota"),
      std::string::npos);
  EXPECT_EQ(Ensure([] { return kContents; }), "OK");
}

TEST_F(VaultTest, ACrashBeforeItIsDurableLeavesItEmpty) {
  EXPECT_EQ(Ensure([] { return kContents; }), "OK");
  cluster_.Crash();
  EXPECT_EQ(Secrets(), "");
  EXPECT_EQ(Ensure([] { return base::Status(base::Code::kForbidden, "no"); }), "Forbidden: no");
  EXPECT_EQ(Secrets(), "");
}

TEST_F(VaultTest, TokensComeAndGo) {
  EXPECT_EQ(Add({"ci", "deployer", "11bb"}), "OK");
  EXPECT_EQ(Add({"ci", "viewer", "22cc"}),
            "AlreadyExists: there is a token \"ci\"; revoke it or choose another name");
  EXPECT_EQ(Add({"", "viewer", "22cc"}), "Invalid: a token needs a name");
  EXPECT_EQ(Add({"x", "king", "22cc"}),
            "Invalid: there is no role \"king\"; roles are admin, deployer and viewer");
  EXPECT_EQ(Remove("nix"), "NotFound: there is no token \"nix\"; see 'plumb token list'");
  EXPECT_EQ(Remove("ci"), "OK");
  EXPECT_EQ(Secrets(), "");
  EXPECT_EQ(Add({"ci", "viewer", "22cc"}), "OK");
}

TEST_F(VaultTest, WhatATokenIsBoundToReadsBack) {
  const base::WallTime later = cluster_.loop.now().wall + base::Duration::Hours(1);
  TokenInfo ci{"ci", "deployer", "11bb"};
  ci.expires = later;
  ci.bounds = {{"shop", "site"}, {"main"}, {"push", "fetch"}};
  TokenInfo join{"machines", "join", "22cc"};
  join.uses = 2;
  join.node = "n1";
  EXPECT_EQ(Add(ci), "OK");
  EXPECT_EQ(Add(join), "OK");
  const std::vector<TokenInfo> tokens = TokensOf(cluster_.store().view());
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].expires.ToString(), later.ToString());
  EXPECT_EQ(tokens[0].bounds, ci.bounds);
  EXPECT_EQ(tokens[1].uses, 2);
  EXPECT_EQ(tokens[1].node, "n1");
  EXPECT_TRUE(tokens[1].expires.IsZero());

  TokenInfo wrong{"x", "viewer", "33dd"};
  wrong.uses = 1;
  EXPECT_EQ(Add(wrong), "Invalid: uses and a node's name are for join tokens; see --join");
  wrong = {"x", "viewer", "33dd"};
  wrong.expires = cluster_.loop.now().wall;
  EXPECT_EQ(Add(wrong), "Invalid: the token would have expired already");
  wrong = {"x", "join", "33dd"};
  wrong.bounds.repositories = {"shop"};
  EXPECT_EQ(Add(wrong), "Invalid: a join token is for nodes, not for repositories");
  wrong = {"x", "viewer", "33dd"};
  wrong.bounds.branches = {"a\nb"};
  EXPECT_EQ(Add(wrong), "Invalid: \"a\nb\" is no name of a branch");
  EXPECT_EQ(Add({"join", "join", "33dd"}),
            "AlreadyExists: the server's own join token has that name");
}

TEST_F(VaultTest, WhatHasExpiredGoesWithTheNextToken) {
  TokenInfo old{"old", "viewer", "11bb"};
  old.expires = cluster_.loop.now().wall + base::Duration::Minutes(1);
  EXPECT_EQ(Add(old), "OK");
  cluster_.Settle(base::Duration::Minutes(2));
  EXPECT_EQ(Add({"new", "viewer", "22cc"}), "OK");
  EXPECT_EQ(Secrets(), "secrets plumb-system/plumb.token.new plumb.dev/token\n");
  EXPECT_EQ(Add({"old", "viewer", "33dd"}), "OK");
}

TEST_F(VaultTest, TheLastUseTakesAJoinTokenAway) {
  TokenInfo join{"machines", "join", "22cc"};
  join.uses = 2;
  EXPECT_EQ(Add(join), "OK");
  EXPECT_EQ(Add({"any", "join", "33dd"}), "OK");
  const auto use = [&](const std::string& name) {
    state::Draft draft = NewDraft();
    const base::Status status = UseToken(draft, name);
    return Commit(status, draft);
  };
  EXPECT_EQ(use("machines") + use("any"), "OKOK");
  EXPECT_EQ(TokensOf(cluster_.store().view())[1].uses, 1);
  EXPECT_EQ(use("machines"), "OK");
  EXPECT_EQ(Secrets(), "secrets plumb-system/plumb.token.any plumb.dev/token\n");
}

TEST_F(VaultTest, TheServersOwnJoinTokenIsRevokedAndRenewed) {
  EXPECT_EQ(Ensure([] { return kContents; }), "OK");
  EXPECT_EQ(Remove("join"), "OK");
  EXPECT_EQ(Read(), "certificate\n, key\n, , ann admin 00aa, ci deployer 11bb");
  state::Draft draft = NewDraft();
  const base::WallTime later = cluster_.loop.now().wall + base::Duration::Hours(1);
  const base::Status renewed = SetJoinSecret(draft, "other", later);
  EXPECT_EQ(Commit(renewed, draft), "OK");
  EXPECT_EQ(ReadVault(cluster_.store().view())->join_secret, "other");
  EXPECT_EQ(ReadVault(cluster_.store().view())->join_expires.ToString(), later.ToString());
}

TEST_F(VaultTest, DeniedCertificatesAreASerialOrANodesUntilNow) {
  const base::WallTime now = cluster_.loop.now().wall;
  state::Draft draft = NewDraft();
  ASSERT_TRUE(DenyNode(draft, "n1").ok());
  ASSERT_TRUE(DenySerial(draft, "0a:1f").ok());
  EXPECT_EQ(DenySerial(draft, "serial").code(), base::Code::kInvalid);
  EXPECT_EQ(Commit(base::Status(), draft), "OK");
  const DeniedCertificates denied = DeniedOf(cluster_.store().view());
  const base::Duration second = base::Duration::Seconds(1);
  EXPECT_TRUE(denied.Denies("0A1F", "admin", now + second * 9));
  EXPECT_FALSE(denied.Denies("0B", "admin", now));
  EXPECT_TRUE(denied.Denies("0B", "system:node:n1", now));
  EXPECT_FALSE(denied.Denies("0B", "system:node:n1", now + second));
  EXPECT_FALSE(denied.Denies("0B", "system:node:n2", now));
}

TEST_F(VaultTest, ATokenMayHaveAnyName) {
  const std::string digest = "0123456789abcdef0123";
  EXPECT_EQ(Add({"Ann's laptop", "admin", digest}), "OK");
  EXPECT_EQ(Add({std::string(300, 'x'), "viewer", "f" + digest}), "OK");
  EXPECT_EQ(Secrets(),
            "secrets plumb-system/plumb.token.0123456789abcdef plumb.dev/token\n"
            "secrets plumb-system/plumb.token.f0123456789abcde plumb.dev/token\n");
  EXPECT_EQ(TokensOf(cluster_.store().view())[0].name, "Ann's laptop");
  EXPECT_EQ(Remove("Ann's laptop"), "OK");
  EXPECT_EQ(Remove(std::string(300, 'x')), "OK");
  EXPECT_EQ(Secrets(), "");
}

// A Secret of the type elsewhere, or of another type here, lets nobody in.
TEST_F(VaultTest, OnlyItsOwnSecretsAreTokens) {
  const std::string data = "data: {name: ZXZl, role: YWRtaW4=, sha256: MDA=}}";
  cluster_.Apply(
      "{apiVersion: v1, kind: Secret, metadata: {name: plumb.token.eve}, type: "
      "plumb.dev/token, " +
      data);
  cluster_.Apply(
      "{apiVersion: v1, kind: Secret, metadata: {name: eve, namespace: plumb-system}, "
      "type: plumb.dev/token, " +
      data);
  EXPECT_TRUE(TokensOf(cluster_.store().view()).empty());
}

}  // namespace
}  // namespace plumb
