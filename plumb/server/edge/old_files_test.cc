#include "plumb/server/edge/old_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/edge/files.h"
#include "plumb/server/edge/credentials.h"
#include "state/own_secrets.h"
#include "state/testing/test_cluster.h"

namespace plumb {
namespace {

constexpr const char* kTokenSecret = "a token's secret";

class OldFilesTest : public testing::Test {
 protected:
  OldFilesTest() {
    char name[] = "/tmp/old_files_test.XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    data_.emplace(name);
    cluster_.AddNamespace("plumb-system");
    cluster_.Settle();
  }
  ~OldFilesTest() override { EXPECT_TRUE(base::RemoveTree(data_->root()).ok()); }

  base::WallTime now() { return cluster_.loop.now().wall; }

  // As an earlier plumb left them.
  void WriteOldFiles() {
    ca_ = *base::CreateCa("plumb", {now(), base::Duration::Hours(24 * 3650)});
    ASSERT_TRUE(base::MakeDirectories(data_->pki(), 0700).ok());
    Write(data_->old_ca_key(), ca_.key_pem);
    Write(data_->ca_certificate(), ca_.cert_pem);
    Write(data_->old_join_secret(), "join secret");
    Write(data_->old_tokens(), R"([{"name":"ci","role":"deployer","sha256":")" +
                                   base::Sha256Hex(kTokenSecret) + "\"}]\n");
  }
  void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::WriteFileAtomic(path, content, 0600).ok());
  }

  // The first half of a start: "OK" if the vault is durable.
  std::string FillVault() {
    state::DraftContext context = cluster_.Context();
    context.actor = state::VaultActor();
    state::Draft draft(cluster_.store().view(), context);
    const base::Status ensured = EnsureVault(draft, [this] {
      ++asked_;
      return FirstCredentials(*data_, now());
    });
    if (!ensured.ok()) return ensured.ToString();
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    return cluster_.store().WriteNow().ToString();
  }
  // The second.
  std::string Open() {
    auto credentials = Credentials::Open(
        cluster_.loop, cluster_.store(), cluster_.Context(),
        {.data_dir = data_->root(), .names = {"localhost"}, .server_url = "https://localhost"});
    if (!credentials.ok()) return credentials.status().ToString();
    credentials_ = *std::move(credentials);
    return "OK";
  }
  std::string Start() {
    const std::string filled = FillVault();
    return filled == "OK" ? Open() : filled;
  }
  void Crash() {
    credentials_.reset();
    cluster_.Crash();
  }

  std::string UserOf(const std::string& token) {
    base::IncomingRequest request;
    request.request.headers["authorization"] = "Bearer " + token;
    const base::Result<base::Identity> identity = credentials_->Authenticate(request);
    return identity.ok() ? identity->user + " " + identity->groups[0]
                         : identity.status().ToString();
  }
  // Names and modes.
  std::string Files(const std::string& directory) {
    std::string text;
    const std::vector<std::string> names = *base::ListDirectory(directory);
    for (const std::string& name : names) {
      struct stat info {};
      EXPECT_EQ(stat((directory + "/" + name).c_str(), &info), 0);
      char mode[8];
      std::snprintf(mode, sizeof(mode), "%o", info.st_mode & 0777);
      text += name + " " + mode + ", ";
    }
    return text;
  }
  void ExpectTheOldCredentials() {
    EXPECT_EQ(credentials_->ca().key_pem, ca_.key_pem);
    EXPECT_EQ(credentials_->ca().cert_pem, ca_.cert_pem);
    EXPECT_TRUE(credentials_->join_token().ends_with("-join secret"));
    EXPECT_EQ(UserOf(kTokenSecret), "ci plumb:deployer");
    EXPECT_EQ(Files(data_->pki()), "admin.crt 644, admin.key 600, ca.crt 644, ");
    EXPECT_EQ(Files(data_->root()), "join-token 600, kubeconfig 600, pki 700, ");
  }

  state::TestCluster cluster_;
  std::optional<DataDirectory> data_;
  base::KeyPair ca_;
  int asked_ = 0;
  std::unique_ptr<Credentials> credentials_;
};

TEST_F(OldFilesTest, TheyAreTakenOverAndGo) {
  WriteOldFiles();
  EXPECT_EQ(Start(), "OK");
  ExpectTheOldCredentials();
}

TEST_F(OldFilesTest, ACrashBeforeTheVaultIsDurableLeavesThemForTheNextStart) {
  WriteOldFiles();
  const std::string before = Files(data_->pki());
  cluster_.faults.SetOnce("storage.write.fail");
  EXPECT_NE(FillVault(), "OK");
  EXPECT_EQ(Files(data_->pki()), before);
  Crash();
  EXPECT_EQ(ReadVault(cluster_.store().view()).status().code(), base::Code::kNotFound);
  EXPECT_EQ(Start(), "OK");
  ExpectTheOldCredentials();
}

TEST_F(OldFilesTest, ACrashAfterTheVaultIsDurableTakesNothingOverAgain) {
  WriteOldFiles();
  cluster_.faults.SetOnce("storage.write.lost");
  EXPECT_NE(FillVault(), "OK");
  Crash();
  const state::Revision revision = cluster_.store().revision();
  EXPECT_EQ(Start(), "OK");
  ExpectTheOldCredentials();
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(cluster_.store().revision(), revision);
}

TEST_F(OldFilesTest, ACrashWhileTheyAreRemovedRemovesTheRestAtTheNextStart) {
  WriteOldFiles();
  std::vector<std::pair<std::string, std::string>> old;  // in the order in which they go
  for (const std::string& path :
       {data_->old_ca_key(), data_->old_join_secret(), data_->old_tokens()}) {
    old.emplace_back(path, *base::ReadFile(path, 1 << 20));
  }
  EXPECT_EQ(Start(), "OK");
  for (size_t removed = 0; removed < old.size(); ++removed) {
    for (size_t i = removed; i < old.size(); ++i) Write(old[i].first, old[i].second);
    Crash();
    EXPECT_EQ(Start(), "OK");
    ExpectTheOldCredentials();
  }
  EXPECT_EQ(asked_, 1);
}

// Whoever revokes a token has revoked it, whatever an old file says.
TEST_F(OldFilesTest, WhatSaysSomethingElseStaysAndIsNotRead) {
  WriteOldFiles();
  EXPECT_EQ(Start(), "OK");
  const std::string ca = credentials_->ca().key_pem;
  std::string revoked;
  credentials_->RevokeToken("ci", [&](const base::Status& status) { revoked = status.ToString(); });
  cluster_.Settle();
  EXPECT_EQ(revoked, "OK");
  Crash();
  WriteOldFiles();  // another authority: is the store's the true one?
  EXPECT_EQ(Start(), "Conflict: " + data_->old_ca_key() +
                         " is not the key of the authority in the store (Secret plumb.ca); remove "
                         "the file to go on with the store's");
  ASSERT_TRUE(base::RemoveTree(data_->old_ca_key()).ok());
  Crash();
  EXPECT_EQ(Start(), "OK");
  EXPECT_EQ(credentials_->ca().key_pem, ca);
  EXPECT_EQ(UserOf(kTokenSecret),
            "Unauthorized: the token is unknown or was revoked; make one with 'plumb token "
            "create'");
  EXPECT_EQ(Files(data_->pki()), "admin.crt 644, admin.key 600, ca.crt 644, tokens.json 600, ");
}

TEST_F(OldFilesTest, AKeyWithoutItsCertificateIsNoAuthority) {
  WriteOldFiles();
  ASSERT_TRUE(base::RemoveTree(data_->ca_certificate()).ok());
  EXPECT_EQ(FillVault(), "Invalid: " + data_->old_ca_key() + " is there, but " +
                             data_->ca_certificate() +
                             " is not; put it back, or remove the key for a new authority");
}

// What would not work does not go in: mended, it is taken over after all.
TEST_F(OldFilesTest, FilesThatDoNotFitAreToldAndNotTakenOver) {
  WriteOldFiles();
  const base::KeyPair other = *base::CreateCa("plumb", {now(), base::Duration::Hours(24)});
  Write(data_->old_ca_key(), other.key_pem);
  EXPECT_EQ(FillVault(), "Invalid: " + data_->old_ca_key() + " and " + data_->ca_certificate() +
                             ": the CA's certificate and key do not belong together");
  Write(data_->old_ca_key(), ca_.key_pem);
  Write(data_->old_tokens(), "{}");
  EXPECT_EQ(FillVault(), "Invalid: " + data_->old_tokens() +
                             ": it is no list of tokens, each with name, role and sha256; mend it, "
                             "or remove it to begin without tokens");
  Write(data_->old_tokens(), "[]");
  EXPECT_EQ(Start(), "OK");
  EXPECT_EQ(credentials_->ca().key_pem, ca_.key_pem);
}

TEST_F(OldFilesTest, WithoutThemANewClusterKeepsItsOwn) {
  EXPECT_EQ(Start(), "OK");
  const std::string key = credentials_->ca().key_pem, token = credentials_->join_token();
  const std::string kubeconfig = *base::ReadFile(data_->kubeconfig(), 1 << 20);
  ca_ = credentials_->ca();
  std::string secret;
  credentials_->CreateToken({"ci", "deployer", ""}, [&](const base::Result<std::string>& made) {
    ASSERT_TRUE(made.ok());
    secret = *made;
  });
  EXPECT_EQ(secret, "") << "it is told when it is durable";
  cluster_.Settle();
  EXPECT_EQ(UserOf(secret), "ci plumb:deployer");
  Crash();
  EXPECT_EQ(Start(), "OK");
  EXPECT_EQ(credentials_->ca().key_pem, key);
  EXPECT_EQ(credentials_->join_token(), token);
  EXPECT_EQ(*base::ReadFile(data_->kubeconfig(), 1 << 20), kubeconfig);
  EXPECT_EQ(UserOf(secret), "ci plumb:deployer");
}

// As after a restore: all copies are missing, or of another cluster.
TEST_F(OldFilesTest, CopiesThatDoNotFitTheVaultAreMadeAnew) {
  EXPECT_EQ(Start(), "OK");
  ca_ = credentials_->ca();
  const base::KeyPair other = *base::CreateCa("other", {now(), base::Duration::Hours(24)});
  const base::KeyPair admin = *base::IssueClientCertificate(other, {"admin", {"plumb:admin"}},
                                                            {now(), base::Duration::Hours(9999)});
  Write(data_->admin_certificate(), admin.cert_pem);
  Write(data_->admin_key(), admin.key_pem);
  Write(data_->ca_certificate(), other.cert_pem);
  Crash();
  EXPECT_EQ(Start(), "OK");
  EXPECT_EQ(*base::ReadFile(data_->ca_certificate(), 1 << 20), ca_.cert_pem);
  EXPECT_TRUE(
      base::VerifyChain(*base::ReadFile(data_->admin_certificate(), 1 << 20), ca_.cert_pem, now())
          .ok());
}

}  // namespace
}  // namespace plumb
