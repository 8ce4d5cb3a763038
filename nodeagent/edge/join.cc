// Rules:
// - The server is believed by the token's digest the first time, by the stored CA from then on.
// - The CA that comes back must have the digest of the token, and the certificate must be this
// node's
//   under that CA: before anything is stored.
// - The key is made here and never sent. Key and certificate are one file, replaced whole: they
//   always belong together.
#include "nodeagent/edge/join.h"

#include <utility>

#include "base/edge/files.h"
#include "base/log.h"
#include "base/net/edge/http_client.h"
#include "base/net/edge/pki.h"
#include "state/authorize.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxPemBytes = 256u << 10;
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string UserOf(const std::string& node) { return state::NodeUser(node); }

base::Result<TlsIdentity> Load(const std::string& directory) {
  TlsIdentity identity;
  ASSIGN_OR_RETURN(identity.ca_pem, base::ReadFile(directory + "/ca.crt", kMaxPemBytes));
  ASSIGN_OR_RETURN(identity.key_pem, base::ReadFile(directory + "/node.pem", kMaxPemBytes));
  const size_t certificate = identity.key_pem.find("-----BEGIN CERTIFICATE");
  if (certificate == std::string::npos) {
    return base::Status(base::Code::kCorruption, directory + "/node.pem has no certificate");
  }
  identity.certificate_pem = identity.key_pem.substr(certificate);
  identity.key_pem.resize(certificate);
  return identity;
}

base::Status Store(const std::string& directory, const TlsIdentity& identity) {
  RETURN_IF_ERROR(base::MakeDirectories(directory, kDirectoryMode));
  RETURN_IF_ERROR(base::WriteFileAtomic(directory + "/ca.crt", identity.ca_pem, kFileMode));
  return base::WriteFileAtomic(directory + "/node.pem", identity.key_pem + identity.certificate_pem,
                               kFileMode);
}

base::Status CheckIdentity(const TlsIdentity& identity, const std::string& node,
                           base::WallTime now) {
  ASSIGN_OR_RETURN(const base::CertificateInfo info,
                   base::ReadCertificate(identity.certificate_pem));
  if (info.subject.common_name != UserOf(node)) {
    return base::Status(
        base::Code::kConflict,
        "the certificate is for " + info.subject.common_name + ", not for " + UserOf(node));
  }
  return base::VerifyChain(identity.certificate_pem, identity.ca_pem, now);
}

base::Result<TlsIdentity> Ask(const JoinOptions& options, base::HttpClientOptions trust,
                              const std::string& secret, base::WallTime now) {
  ASSIGN_OR_RETURN(const base::SigningRequest request,
                   base::CreateSigningRequest(UserOf(options.node)));
  const std::string digest = trust.ca_digest;
  const std::string known_ca = trust.ca_pem;
  base::HttpClient client(std::move(trust));
  ASSIGN_OR_RETURN(
      const base::HttpAnswer answer,
      client.Do({.method = "POST",
                 .url = options.server + kJoinPath,
                 .headers = {{"Content-Type", "application/json"}},
                 .body = EncodeJoinRequest(
                     {.node = options.node, .secret = secret, .csr_pem = request.csr_pem})}));
  if (answer.status != 200) {
    const base::Code code = answer.status == 401   ? base::Code::kUnauthorized
                            : answer.status == 409 ? base::Code::kConflict
                                                   : base::Code::kUnavailable;
    const base::Result<base::Json> body = base::ParseJson(answer.body);
    const std::string why = body.ok() ? std::string((*body)["message"].AsString()) : "";
    return base::Status(code, "the server did not let this node join: " +
                                  (why.empty() ? "HTTP " + std::to_string(answer.status) : why));
  }
  ASSIGN_OR_RETURN(JoinAnswer joined, DecodeJoinAnswer(answer.body));
  TlsIdentity identity{std::move(joined.ca_pem), std::move(joined.certificate_pem),
                       request.key_pem};
  if (!digest.empty()) {
    ASSIGN_OR_RETURN(const std::string got, base::CertificateDigest(identity.ca_pem));
    if (got != digest) {
      return base::Status(
          base::Code::kUnauthorized,
          "the server sent a CA that is not the token's; is this the right server?");
    }
  } else {
    identity.ca_pem = known_ca;
  }
  RETURN_IF_ERROR(CheckIdentity(identity, options.node, now).WithContext("the server's answer"));
  RETURN_IF_ERROR(Store(options.directory, identity));
  return identity;
}

base::Result<TlsIdentity> Join(const JoinOptions& options, base::WallTime now) {
  ASSIGN_OR_RETURN(const JoinToken token, ParseJoinToken(options.token));
  return Ask(options, {.ca_digest = "sha256:" + token.ca_digest}, token.secret, now);
}

base::Result<TlsIdentity> Renew(const JoinOptions& options, const TlsIdentity& identity,
                                base::WallTime now) {
  return Ask(options,
             {.ca_pem = identity.ca_pem,
              .certificate_pem = identity.certificate_pem,
              .key_pem = identity.key_pem},
             "", now);
}

}  // namespace

base::Result<base::WallTime> RenewalTime(const TlsIdentity& identity) {
  ASSIGN_OR_RETURN(const base::CertificateInfo info,
                   base::ReadCertificate(identity.certificate_pem));
  return info.not_after + (info.not_before - info.not_after) / 3;
}

base::Result<TlsIdentity> EnsureIdentity(const JoinOptions& options, base::WallTime now) {
  base::Result<TlsIdentity> stored = Load(options.directory);
  if (!stored.ok() || !CheckIdentity(*stored, options.node, now).ok()) return Join(options, now);
  const base::Result<base::WallTime> renewal = RenewalTime(*stored);
  if (renewal.ok() && now < *renewal) return stored;
  base::Result<TlsIdentity> renewed = Renew(options, *stored, now);
  if (renewed.ok()) return renewed;
  base::LogWarning("certificate not renewed", {{"why", renewed.status().ToString()}});
  return stored;
}

}  // namespace nodeagent
