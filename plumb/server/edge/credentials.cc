// Every file here is a copy: it is made anew where it is missing or no longer fits the vault.
#include "plumb/server/edge/credentials.h"

#include <algorithm>

#include "base/base64.h"
#include "base/edge/files.h"
#include "plumb/server/edge/old_files.h"
#include "state/own_secrets.h"

namespace plumb {
namespace {

constexpr base::Duration kCaLifetime = base::Duration::Hours(24 * 3650);
constexpr base::Duration kCertificateLifetime = base::Duration::Hours(24 * 365);
constexpr base::Duration kRenewBefore = base::Duration::Hours(24 * 30);
constexpr size_t kMaxCredentialFile = 1 << 20;
constexpr int kPrivate = 0600;

// Whether the certificate is the authority's, and will be good for a while.
bool IsGood(const base::KeyPair& pair, const base::KeyPair& ca, base::WallTime now) {
  if (pair.key_pem.empty()) return false;
  const base::Result<base::CertificateInfo> info = base::ReadCertificate(pair.cert_pem);
  return info.ok() && info->not_after - kRenewBefore >= now &&
         base::VerifyChain(pair.cert_pem, ca.cert_pem, now).ok();
}

}  // namespace

base::Result<VaultContents> FirstCredentials(const DataDirectory& data, base::WallTime now) {
  ASSIGN_OR_RETURN(const std::optional<VaultContents> old, ReadOldFiles(data));
  VaultContents first = old.value_or(VaultContents());
  if (old) {
    // What is in the vault stays there: only what works goes in.
    const auto proof = base::IssueClientCertificate({first.ca_certificate, first.ca_key},
                                                    {"proof", {}}, {now, kCertificateLifetime});
    if (!proof.ok()) {
      return proof.status().WithContext(data.old_ca_key() + " and " + data.ca_certificate());
    }
  }
  if (!old) {
    ASSIGN_OR_RETURN(const base::KeyPair ca, base::CreateCa("plumb", {now, kCaLifetime}));
    first.ca_certificate = ca.cert_pem;
    first.ca_key = ca.key_pem;
  }
  if (first.join_secret.empty()) {
    ASSIGN_OR_RETURN(first.join_secret, base::RandomToken());
  }
  return first;
}

base::Result<std::unique_ptr<Credentials>> Credentials::Open(base::Loop& loop, state::Store& store,
                                                             const state::DraftContext& context,
                                                             const CredentialsOptions& options) {
  std::unique_ptr<Credentials> credentials(new Credentials(loop, store, context, options.data_dir));
  RETURN_IF_ERROR(credentials->Load(options, loop.now().wall));
  return credentials;
}

Credentials::Credentials(base::Loop& loop, state::Store& store, const state::DraftContext& context,
                         std::string data_dir)
    : store_(store),
      writer_(loop, store, context, state::VaultActor()),
      data_(std::move(data_dir)) {}

base::Status Credentials::Load(const CredentialsOptions& options, base::WallTime now) {
  ASSIGN_OR_RETURN(const VaultContents vault, ReadVault(store_.durable_view()));
  ca_ = {vault.ca_certificate, vault.ca_key};
  join_secret_ = vault.join_secret;
  // The server's own certificate is cheap: a new one at every start covers names that were added.
  ASSIGN_OR_RETURN(server_,
                   base::IssueServerCertificate(ca_, options.names, {now, kCertificateLifetime}));
  server_.cert_pem +=
      ca_.cert_pem;  // a node that knows only the authority's digest must see it in the chain
  ASSIGN_OR_RETURN(std::string digest, base::CertificateDigest(ca_.cert_pem));
  join_token_ = "plumb-" + digest.substr(digest.find(':') + 1) + "-" + join_secret_;
  ReadTokens();
  commits_ = store_.OnCommit([this](const state::Change& change) {
    if (state::IsOwnSecret(change.key())) ReadTokens();
  });

  RETURN_IF_ERROR(base::MakeDirectories(data_.pki(), 0700));
  RETURN_IF_ERROR(RemoveOldFiles(data_, vault));
  RETURN_IF_ERROR(base::WriteFileAtomic(data_.ca_certificate(), ca_.cert_pem, 0644));
  RETURN_IF_ERROR(WriteKubeconfig(options.server_url, now));
  return base::WriteFileAtomic(data_.join_token(), join_token_ + "\n", kPrivate);
}

base::Status Credentials::WriteKubeconfig(const std::string& server_url, base::WallTime now) {
  base::KeyPair admin;
  ASSIGN_OR_RETURN(admin.cert_pem,
                   base::ReadFileIfThere(data_.admin_certificate(), kMaxCredentialFile));
  ASSIGN_OR_RETURN(admin.key_pem, base::ReadFileIfThere(data_.admin_key(), kMaxCredentialFile));
  if (!IsGood(admin, ca_, now)) {
    ASSIGN_OR_RETURN(admin, base::IssueClientCertificate(ca_, {"admin", {"plumb:admin"}},
                                                         {now, kCertificateLifetime}));
    RETURN_IF_ERROR(base::WriteFileAtomic(data_.admin_key(), admin.key_pem, kPrivate));
    RETURN_IF_ERROR(base::WriteFileAtomic(data_.admin_certificate(), admin.cert_pem, 0644));
  }
  return base::WriteFileAtomic(data_.kubeconfig(), KubeconfigText(server_url, ca_.cert_pem, admin),
                               kPrivate);
}

std::string KubeconfigText(const std::string& server_url, const std::string& ca_pem,
                           const base::KeyPair& client) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: plumb\nclusters:\n- name: plumb\n  "
         "cluster:\n    server: " +
         server_url + "\n    certificate-authority-data: " + base::Base64Encode(ca_pem) +
         "\nusers:\n- name: admin\n  user:\n    client-certificate-data: " +
         base::Base64Encode(client.cert_pem) +
         "\n    client-key-data: " + base::Base64Encode(client.key_pem) +
         "\ncontexts:\n- name: plumb\n  context: {cluster: plumb, user: admin}\n";
}

base::Result<base::Identity> Credentials::Authenticate(const base::IncomingRequest& request) const {
  const std::string_view authorization = request.request.Header("authorization");
  std::string secret;
  if (authorization.starts_with("Bearer ")) {
    secret = authorization.substr(7);
  } else if (authorization.starts_with("Basic ")) {
    const base::Result<std::string> decoded = base::Base64Decode(authorization.substr(6));
    if (decoded.ok())
      secret = decoded->substr(std::min(decoded->find(':'), decoded->size() - 1) + 1);
  } else if (request.certificate != nullptr) {
    return base::Identity{request.certificate->common_name, request.certificate->organizations};
  } else {
    return base::Identity();
  }
  const std::string digest = base::Sha256Hex(secret);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const TokenInfo& token : tokens_) {
    if (base::EqualInConstantTime(token.sha256, digest))
      return base::Identity{token.name, {"plumb:" + token.role}};
  }
  return base::Status(base::Code::kUnauthorized,
                      "the token is unknown or was revoked; make one with 'plumb token create'");
}

void Credentials::CreateToken(const std::string& name, const std::string& role,
                              std::function<void(base::Result<std::string>)> done) {
  const base::Result<std::string> secret = base::RandomToken();
  if (!secret.ok()) return done(secret.status());
  state::Draft draft = writer_.NewDraft();
  base::Status status = AddToken(draft, {name, role, base::Sha256Hex(*secret)});
  if (status.ok()) status = writer_.Commit(draft).status();
  if (!status.ok()) return done(status);
  writer_.WhenDurable([done = std::move(done), secret = *secret] { done(secret); });
}

void Credentials::RevokeToken(const std::string& name, std::function<void(base::Status)> done) {
  state::Draft draft = writer_.NewDraft();
  base::Status status = RemoveToken(draft, name);
  if (status.ok()) status = writer_.Commit(draft).status();
  if (!status.ok()) return done(status);
  writer_.WhenDurable([done = std::move(done)] { done(base::Status()); });
}

std::vector<TokenInfo> Credentials::Tokens() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return tokens_;
}

void Credentials::ReadTokens() {
  std::vector<TokenInfo> tokens = TokensOf(store_.view());
  const std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::move(tokens);
}

}  // namespace plumb
