// Keys, certificates, tokens and digests: what the cluster's trust is made of (EC P-256, SHA-256,
// through OpenSSL 3).
//
// Functions; any thread. Text in and out is PEM. Time comes as an argument. Writing a key to a file
// with mode 0600 is the caller's; `key_pem` is a secret and never logged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace base {

struct KeyPair {
  std::string cert_pem;
  std::string key_pem;
};

struct Subject {
  std::string common_name;                 // a user: "system:node:n1"
  std::vector<std::string> organizations;  // its groups: "system:nodes"
};

// How long a certificate is good for. It begins kClockSkew before `now`, for peers whose clocks are
// behind.
struct Validity {
  WallTime now;
  Duration lifetime;
};
inline constexpr Duration kClockSkew = Duration::Minutes(5);

// A certificate authority that signs itself, and nothing below another CA.
Result<KeyPair> CreateCa(const std::string& common_name, const Validity& validity);

// A server's certificate for `names`: DNS names and IP addresses.
Result<KeyPair> IssueServerCertificate(const KeyPair& ca, const std::vector<std::string>& names,
                                       const Validity& validity);

Result<KeyPair> IssueClientCertificate(const KeyPair& ca, const Subject& subject,
                                       const Validity& validity);

// A key that never leaves its machine, and the request to have it signed.
struct SigningRequest {
  std::string csr_pem;
  std::string key_pem;
};
Result<SigningRequest> CreateSigningRequest(const std::string& common_name);

// A client certificate for the key of `csr_pem`. The subject is the signer's decision: what the
// request says of itself is ignored. kInvalid if the request is not signed by its own key.
Result<std::string> SignRequest(const KeyPair& ca, const std::string& csr_pem,
                                const Subject& subject, const Validity& validity);

struct CertificateInfo {
  Subject subject;
  WallTime not_before;
  WallTime not_after;
  bool is_ca = false;
  std::string serial;  // upper-case hexadecimal
};
// Of the first certificate in `pem`. kInvalid if there is none.
Result<CertificateInfo> ReadCertificate(const std::string& pem);

// OK if the first certificate of `pem` chains to one of `ca_pem` at `now`, through the others of
// `pem`; else kUnauthorized with the reason.
Status VerifyChain(const std::string& pem, const std::string& ca_pem, WallTime now);

// "sha256:" and 64 hexadecimal digits: of the DER of the first certificate in `pem`. A join token
// pins a CA with it.
Result<std::string> CertificateDigest(const std::string& pem);

// 32 random bytes as 43 characters of base64url. kUnavailable if the system has no randomness.
Result<std::string> RandomToken();

// Takes the same time wherever they differ; only lengths show.
bool EqualInConstantTime(std::string_view left, std::string_view right);

std::string Sha256(std::string_view data);  // 32 bytes
std::string Sha256Hex(std::string_view data);

}  // namespace base
