#include "base/net/edge/pki.h"

#include <gtest/gtest.h>

#include <set>

#include "base/base64.h"

namespace base {
namespace {

const WallTime kNow = WallTime::FromSeconds(1'795'000'000);
const Validity kYear{kNow, Duration::Hours(24 * 365)};

KeyPair Ca(const std::string& name = "plumb-ca") {
  Result<KeyPair> ca = CreateCa(name, kYear);
  CHECK(ca.ok());
  return *ca;
}

std::string Describe(const std::string& pem) {
  Result<CertificateInfo> info = ReadCertificate(pem);
  if (!info.ok()) return info.status().ToString();
  std::string text = info->subject.common_name;
  for (const std::string& organization : info->subject.organizations) text += "/" + organization;
  return text + (info->is_ca ? " ca " : " ") + info->not_before.ToString() + ".." +
         info->not_after.ToString();
}

TEST(PkiTest, CaSaysWhatItIsAndHowLong) {
  EXPECT_EQ(Describe(Ca().cert_pem), "plumb-ca ca " + (kNow - kClockSkew).ToString() + ".." +
                                         (kNow + kYear.lifetime).ToString());
}

TEST(PkiTest, ClientCertificateNamesUserAndGroups) {
  KeyPair ca = Ca();
  Result<KeyPair> client =
      IssueClientCertificate(ca, {"alice", {"plumb:admin", "teams:blue"}}, kYear);
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(Describe(client->cert_pem).substr(0, 28), "alice/plumb:admin/teams:blue");
  EXPECT_TRUE(VerifyChain(client->cert_pem, ca.cert_pem, kNow).ok());
}

TEST(PkiTest, ChainsAreRefusedForTheWrongCaAndTheWrongTime) {
  KeyPair ca = Ca();
  Result<KeyPair> client = IssueClientCertificate(ca, {"alice", {}}, {kNow, Duration::Hours(1)});
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(VerifyChain(client->cert_pem, Ca().cert_pem, kNow).code(), Code::kUnauthorized)
      << "another CA of the same name";
  EXPECT_EQ(VerifyChain(client->cert_pem, ca.cert_pem, kNow + Duration::Hours(2)).ToString(),
            "Unauthorized: the certificate is not trusted: certificate has expired");
  EXPECT_FALSE(VerifyChain(client->cert_pem, ca.cert_pem, kNow - Duration::Minutes(6)).ok());
  EXPECT_TRUE(VerifyChain(client->cert_pem, ca.cert_pem, kNow - Duration::Minutes(4)).ok())
      << "a peer's clock may be behind";
  EXPECT_FALSE(VerifyChain("", ca.cert_pem, kNow).ok());
  EXPECT_FALSE(VerifyChain(client->cert_pem, "", kNow).ok());
}

TEST(PkiTest, ClientCertificateCannotSignOthers) {
  KeyPair ca = Ca();
  Result<KeyPair> client = IssueClientCertificate(ca, {"alice", {}}, kYear);
  ASSERT_TRUE(client.ok());
  Result<KeyPair> forged = IssueClientCertificate(*client, {"root", {"plumb:admin"}}, kYear);
  ASSERT_TRUE(forged.ok());
  EXPECT_FALSE(VerifyChain(forged->cert_pem + client->cert_pem, ca.cert_pem, kNow).ok());
}

TEST(PkiTest, ServerNamesAreCheckedBeforeTheyAreSigned) {
  KeyPair ca = Ca();
  EXPECT_TRUE(IssueServerCertificate(ca, {"localhost", "127.0.0.1", "::1", "*.a.b"}, kYear).ok());
  for (const char* name : {"", "a,DNS:evil", "a b", "a\n", "x/y"}) {
    EXPECT_EQ(IssueServerCertificate(ca, {name}, kYear).status().code(), Code::kInvalid) << name;
  }
  EXPECT_EQ(IssueServerCertificate(ca, {}, kYear).status().code(), Code::kInvalid);
}

TEST(PkiTest, SignerDecidesTheSubjectOfARequest) {
  KeyPair ca = Ca();
  Result<SigningRequest> request = CreateSigningRequest("system:masters");
  ASSERT_TRUE(request.ok());
  Result<std::string> certificate = SignRequest(
      ca, request->csr_pem, {"system:node:n1", {"system:nodes"}}, {kNow, Duration::Hours(1)});
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(Describe(*certificate).substr(0, 27), "system:node:n1/system:nodes");
  EXPECT_TRUE(VerifyChain(*certificate, ca.cert_pem, kNow).ok());
}

TEST(PkiTest, RequestThatIsNotSignedByItsKeyIsRefused) {
  KeyPair ca = Ca();
  Result<SigningRequest> request = CreateSigningRequest("n1");
  ASSERT_TRUE(request.ok());
  std::string broken = request->csr_pem;
  // The last lines hold the signature.
  size_t place = broken.find("-----END") - 20;
  broken[place] = broken[place] == 'A' ? 'B' : 'A';
  EXPECT_EQ(SignRequest(ca, broken, {"n1", {}}, kYear).status().code(), Code::kInvalid);
  EXPECT_EQ(SignRequest(ca, "junk", {"n1", {}}, kYear).status().code(), Code::kInvalid);
}

TEST(PkiTest, CaNeedsItsOwnKey) {
  KeyPair mixed = Ca();
  mixed.key_pem = Ca().key_pem;
  EXPECT_EQ(IssueClientCertificate(mixed, {"alice", {}}, kYear).status().ToString(),
            "Invalid: the CA's certificate and key do not belong together");
}

TEST(PkiTest, DigestIsOfTheDer) {
  KeyPair ca = Ca();
  Result<std::string> digest = CertificateDigest(ca.cert_pem);
  ASSERT_TRUE(digest.ok());
  size_t begin = ca.cert_pem.find('\n') + 1;
  std::string base64 = ca.cert_pem.substr(begin, ca.cert_pem.find("-----END") - begin);
  std::erase(base64, '\n');
  Result<std::string> der = Base64Decode(base64);
  ASSERT_TRUE(der.ok());
  EXPECT_EQ(*digest, "sha256:" + Sha256Hex(*der));
  EXPECT_FALSE(CertificateDigest("junk").ok());
}

TEST(PkiTest, TokensAreLongAndDiffer) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    Result<std::string> token = RandomToken();
    ASSERT_TRUE(token.ok());
    EXPECT_EQ(token->size(), 43u);
    EXPECT_EQ(token->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
              std::string::npos);
    tokens.insert(*token);
  }
  EXPECT_EQ(tokens.size(), 100u);
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "ab"));
  EXPECT_TRUE(EqualInConstantTime("", ""));
}

// FIPS 180-4 example.
TEST(PkiTest, DigestsMatchPublishedVectors) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace base
