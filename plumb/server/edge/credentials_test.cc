#include "plumb/server/edge/credentials.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/edge/files.h"
#include "state/own_secrets.h"
#include "state/testing/test_cluster.h"

namespace plumb {
namespace {

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    char name[] = "/tmp/credentials_test.XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    cluster_.AddNamespace("plumb-system");
    cluster_.Settle();
    state::DraftContext context = cluster_.Context();
    context.actor = state::VaultActor();
    state::Draft draft(cluster_.store().view(), context);
    EXPECT_TRUE(EnsureVault(draft, [&] {
                  return FirstCredentials(DataDirectory(directory_), now());
                }).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    EXPECT_TRUE(cluster_.store().WriteNow().ok());
    Open();
  }
  ~CredentialsTest() override { EXPECT_TRUE(base::RemoveTree(directory_).ok()); }

  void Open() {
    credentials_.reset();
    auto credentials = Credentials::Open(
        cluster_.loop, cluster_.store(), cluster_.Context(),
        {.data_dir = directory_, .names = {"localhost"}, .server_url = "https://localhost"});
    ASSERT_TRUE(credentials.ok()) << credentials.status().ToString();
    credentials_ = *std::move(credentials);
  }
  base::WallTime now() { return cluster_.loop.now().wall; }

  std::string Create(TokenInfo token) {
    std::string secret;
    credentials_->CreateToken(std::move(token), [&](const base::Result<std::string>& made) {
      secret = made.ok() ? *made : made.status().ToString();
    });
    cluster_.Settle();
    return secret;
  }
  // Who asks with an Authorization header, or the code.
  std::string Who(const std::string& authorization) {
    base::IncomingRequest request;
    if (!authorization.empty()) request.request.headers["authorization"] = authorization;
    return Told(credentials_->Authenticate(request));
  }
  std::string WhoBy(const std::string& pem) {
    const auto info = base::ReadCertificate(pem);
    base::IncomingRequest request;
    request.certificate = std::make_unique<base::PeerCertificate>(base::PeerCertificate{
        info->subject.common_name, info->subject.organizations, info->serial, info->not_before});
    return Told(credentials_->Authenticate(request));
  }
  std::string NodeCertificate() {
    return base::IssueClientCertificate(credentials_->ca(), {"system:node:n1", {"system:nodes"}},
                                        {now(), base::Duration::Hours(24)})
        ->cert_pem;
  }
  static std::string Told(const base::Result<base::Identity>& identity) {
    if (!identity.ok()) return std::string(base::InfoOf(identity.status().code()).reason);
    return identity->user.empty() ? "nobody" : identity->user + " " + identity->groups[0];
  }
  std::string CredentialOfBearer(const std::string& secret) {
    base::IncomingRequest request;
    request.request.headers["authorization"] = "Bearer " + secret;
    const auto identity = credentials_->Authenticate(request);
    return identity.ok() ? identity->credential : "none";
  }

  state::TestCluster cluster_;
  std::string directory_;
  std::unique_ptr<Credentials> credentials_;
};

TEST_F(CredentialsTest, WhatIsNoCredentialIsNotTakenForNone) {
  const std::string secret = Create({"ann", "admin", ""});
  EXPECT_EQ(Who(""), "nobody");
  EXPECT_EQ(Who("Bearer " + secret), "ann plumb:admin");
  EXPECT_EQ(Who("bearer " + secret), "ann plumb:admin");
  EXPECT_EQ(Who("Basic " + base::Base64Encode("me:" + secret)), "ann plumb:admin");
  for (const std::string& wrong :
       {std::string("Bearer"), std::string("Bearer "), std::string("bearer x"),
        std::string("Basic"), std::string("Basic ="), "Basic " + base::Base64Encode("me:"),
        "Basic " + base::Base64Encode(secret), "Negotiate " + secret}) {
    EXPECT_EQ(Who(wrong), "Unauthorized") << wrong;
  }
}

TEST_F(CredentialsTest, ATokenEndsWhenItExpiresAndSaysSo) {
  TokenInfo token{"ci", "deployer", ""};
  token.expires = now() + base::Duration::Minutes(10);
  const std::string secret = Create(token);
  std::string ended;
  const base::Identity ci{"ci", {}, {}, CredentialOfBearer(secret)};
  credentials_->OnEnded(
      [&](const Credentials::Ended& told) { ended = told(ci) ? "ci" : "others"; });
  cluster_.Settle(base::Duration::Minutes(9));
  EXPECT_EQ(Who("Bearer " + secret) + ended, "ci plumb:deployer");
  cluster_.Settle(base::Duration::Minutes(2));
  EXPECT_EQ(Who("Bearer " + secret), "Unauthorized");
  EXPECT_EQ(ended, "ci");
}

TEST_F(CredentialsTest, ARevokedTokensCredentialEndsAndNoOther) {
  const std::string ann = Create({"ann", "admin", ""}), bob = Create({"bob", "admin", ""});
  const base::Identity of_ann{"ann", {}, {}, CredentialOfBearer(ann)};
  const base::Identity of_bob{"bob", {}, {}, CredentialOfBearer(bob)};
  std::string ended;
  credentials_->OnEnded([&](const Credentials::Ended& told) {
    ended += std::string(told(of_ann) ? "ann " : "") + (told(of_bob) ? "bob " : "");
  });
  credentials_->RevokeToken("ann", [](const base::Status& status) { EXPECT_TRUE(status.ok()); });
  EXPECT_EQ(ended, "ann ");
  EXPECT_EQ(Who("Bearer " + ann) + " " + Who("Bearer " + bob), "Unauthorized bob plumb:admin");
}

TEST_F(CredentialsTest, ADeniedNodesCertificatesCountNoMoreAndLaterOnesDo) {
  const std::string before = NodeCertificate();
  EXPECT_EQ(WhoBy(before), "system:node:n1 system:nodes");
  std::string ended;
  credentials_->OnEnded([&](const Credentials::Ended& told) {
    ended = told({"system:node:n1", {}}) ? "n1" : "";
    ended += told({"system:node:n2", {}}) ? "n2" : "";
  });
  credentials_->DenyNode("n1", [](const base::Status& status) { EXPECT_TRUE(status.ok()); });
  EXPECT_EQ(ended, "n1");
  EXPECT_EQ(WhoBy(before), "Unauthorized");
  EXPECT_EQ(credentials_->CheckCertificate(before).status().code(), base::Code::kUnauthorized);
  cluster_.Settle(base::Duration::Seconds(2));
  Open();  // and so it is after a restart
  EXPECT_EQ(WhoBy(before), "Unauthorized");
  EXPECT_EQ(WhoBy(NodeCertificate()), "system:node:n1 system:nodes");
}

TEST_F(CredentialsTest, ADeniedSerialIsThatCertificateOnly) {
  const std::string one = NodeCertificate(), other = NodeCertificate();
  credentials_->DenySerial(base::ReadCertificate(one)->serial,
                           [](const base::Status& status) { EXPECT_TRUE(status.ok()); });
  EXPECT_EQ(WhoBy(one), "Unauthorized");
  EXPECT_EQ(WhoBy(other), "system:node:n1 system:nodes");
}

TEST_F(CredentialsTest, TheServersOwnJoinTokenEndsAndIsFollowedByAnother) {
  const std::string first = credentials_->join_token();
  cluster_.Settle(base::Duration::Hours(23));
  Open();
  EXPECT_EQ(credentials_->join_token(), first);
  cluster_.Settle(base::Duration::Hours(2));
  for (const TokenInfo& token : credentials_->Tokens()) EXPECT_TRUE(token.IsExpired(now()));
  Open();
  EXPECT_NE(credentials_->join_token(), first);
  EXPECT_EQ(*base::ReadFile(credentials_->join_token_path(), 1000),
            credentials_->join_token() + "\n");
}

TEST_F(CredentialsTest, AJoinTokenIsNobodysAtTheOtherDoors) {
  const std::string token = Create({"", "join", ""});
  EXPECT_TRUE(token.starts_with("plumb-")) << token;
  EXPECT_EQ(Who("Bearer " + token), "Unauthorized");
  EXPECT_EQ(Who("Bearer " + token.substr(token.rfind('-') + 1)), "Unauthorized");
}

}  // namespace
}  // namespace plumb
