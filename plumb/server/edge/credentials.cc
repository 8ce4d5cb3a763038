// Every file here is a copy: it is made anew where it is missing or no longer fits the vault.
#include "plumb/server/edge/credentials.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/base64.h"
#include "base/edge/files.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/join_handler.h"
#include "plumb/server/edge/old_files.h"
#include "state/authorize.h"
#include "state/own_secrets.h"

namespace plumb {
namespace {

constexpr base::Duration kCaLifetime = base::Duration::Hours(24 * 3650);
constexpr base::Duration kCertificateLifetime = base::Duration::Hours(24 * 365);
constexpr base::Duration kRenewBefore = base::Duration::Hours(24 * 30);
constexpr size_t kMaxCredentialFile = 1 << 20;
constexpr int kPrivate = 0600;
// The server's own join token, of data that began with this plumb: who sets up a cluster joins its
// first nodes, and later makes tokens that say what they are for.
constexpr base::Duration kJoinLifetime = base::Duration::Hours(24);
constexpr base::Duration kReadAgain = base::Duration::Minutes(1);  // the wall clock may be set
constexpr size_t kDigestInCredential = 16;

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
    first.join_expires = now + kJoinLifetime;
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
    : loop_(loop),
      store_(store),
      writer_(loop, store, context, state::VaultActor()),
      data_(std::move(data_dir)) {}

base::Status Credentials::Load(const CredentialsOptions& options, base::WallTime now) {
  ASSIGN_OR_RETURN(VaultContents vault, ReadVault(store_.durable_view()));
  ca_ = {vault.ca_certificate, vault.ca_key};
  // The server's own certificate is cheap: a new one at every start covers names that were added.
  ASSIGN_OR_RETURN(server_,
                   base::IssueServerCertificate(ca_, options.names, {now, kCertificateLifetime}));
  server_.cert_pem +=
      ca_.cert_pem;  // a node that knows only the authority's digest must see it in the chain
  ASSIGN_OR_RETURN(std::string digest, base::CertificateDigest(ca_.cert_pem));
  ca_digest_ = digest.substr(digest.find(':') + 1);
  RETURN_IF_ERROR(RemoveOldFiles(data_, vault));
  RETURN_IF_ERROR(RenewJoinSecret(vault, now));
  join_token_ = nodeagent::JoinToken{ca_digest_, vault.join_secret}.ToString();
  ReadTokens();
  commits_ = store_.OnCommit([this](const state::Change& change) {
    if (state::IsOwnSecret(change.key())) ReadTokens();
  });

  RETURN_IF_ERROR(base::MakeDirectories(data_.pki(), 0700));
  RETURN_IF_ERROR(base::WriteFileAtomic(data_.ca_certificate(), ca_.cert_pem, 0644));
  RETURN_IF_ERROR(WriteKubeconfig(options.server_url, now));
  return base::WriteFileAtomic(data_.join_token(), join_token_ + "\n", kPrivate);
}

base::Status Credentials::WriteKubeconfig(const std::string& server_url, base::WallTime now) {
  base::KeyPair admin;
  ASSIGN_OR_RETURN(admin.cert_pem,
                   base::ReadFileIfThere(data_.admin_certificate(), kMaxCredentialFile));
  ASSIGN_OR_RETURN(admin.key_pem, base::ReadFileIfThere(data_.admin_key(), kMaxCredentialFile));
  if (!IsGood(admin, ca_, now) || !CheckCertificate(admin.cert_pem).ok()) {
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

namespace {

// The secret of an Authorization header: kUnauthorized if there is none in it, whatever it says.
base::Result<std::string> SecretIn(std::string_view authorization) {
  const size_t space = std::min(authorization.find(' '), authorization.size());
  std::string scheme(authorization.substr(0, space));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string secret(authorization.substr(std::min(space + 1, authorization.size())));
  if (scheme == "basic") {
    const base::Result<std::string> decoded = base::Base64Decode(secret);
    const size_t colon = decoded.ok() ? decoded->find(':') : std::string::npos;
    secret = colon == std::string::npos ? "" : decoded->substr(colon + 1);
  } else if (scheme != "bearer") {
    secret.clear();
  }
  if (!secret.empty()) return secret;
  return base::Status(base::Code::kUnauthorized,
                      "the Authorization header has no token: it takes Bearer TOKEN, or Basic with "
                      "the token as password");
}

std::string CredentialOf(const TokenInfo& token) {
  return "token/" + token.name + "/" + token.sha256.substr(0, kDigestInCredential);
}

std::string CredentialOf(const base::PeerCertificate& certificate) {
  return "certificate/" + certificate.serial;
}

base::Status CertificateDenied() {
  return base::Status(base::Code::kUnauthorized,
                      "the certificate was revoked; a node joins again with a token, a person asks "
                      "for one: 'plumb token create'");
}

}  // namespace

base::Result<base::Identity> Credentials::Authenticate(const base::IncomingRequest& request) const {
  const std::string_view authorization = request.request.Header("authorization");
  const base::PeerCertificate* certificate = request.certificate.get();
  if (authorization.empty() && certificate == nullptr) return base::Identity();
  if (authorization.empty()) {
    if (!Counts(*certificate)) return CertificateDenied();
    return base::Identity{
        certificate->common_name, certificate->organizations, {}, CredentialOf(*certificate)};
  }
  ASSIGN_OR_RETURN(const std::string secret, SecretIn(authorization));
  const std::string digest = base::Sha256Hex(secret);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const TokenInfo& token : tokens_) {
    if (base::EqualInConstantTime(token.sha256, digest)) {
      return base::Identity{token.name, {"plumb:" + token.role}, token.bounds, CredentialOf(token)};
    }
  }
  return base::Status(base::Code::kUnauthorized,
                      "the token is unknown or was revoked; make one with 'plumb token create'");
}

bool Credentials::Counts(const base::PeerCertificate& certificate) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !denied_.Denies(certificate.serial, certificate.common_name,
                         certificate.not_before + base::kClockSkew);
}

base::Result<std::string> Credentials::CheckCertificate(const std::string& pem) const {
  ASSIGN_OR_RETURN(const base::CertificateInfo info, base::ReadCertificate(pem));
  const base::PeerCertificate certificate{info.subject.common_name, info.subject.organizations,
                                          info.serial, info.not_before};
  if (!Counts(certificate)) return CertificateDenied();
  return CredentialOf(certificate);
}

// One that has ended, or was revoked, is followed by another: the file of its name is for the first
// nodes of a cluster.
base::Status Credentials::RenewJoinSecret(VaultContents& vault, base::WallTime now) {
  const bool ended = !vault.join_expires.IsZero() && now >= vault.join_expires;
  if (!vault.join_secret.empty() && !ended) return base::Status();
  ASSIGN_OR_RETURN(vault.join_secret, base::RandomToken());
  state::Draft draft = writer_.NewDraft();
  RETURN_IF_ERROR(SetJoinSecret(draft, vault.join_secret, now + kJoinLifetime));
  RETURN_IF_ERROR(writer_.Commit(draft).status());
  return store_.WriteNow();
}

void Credentials::Change(const std::function<base::Status(state::Draft&)>& change, Done done) {
  state::Draft draft = writer_.NewDraft();
  base::Status status = change(draft);
  if (status.ok()) status = writer_.Commit(draft).status();
  if (!status.ok()) return done(status);
  writer_.WhenDurable([done = std::move(done)] { done(base::Status()); });
}

void Credentials::CreateToken(TokenInfo token,
                              std::function<void(base::Result<std::string>)> done) {
  const base::Result<std::string> secret = base::RandomToken();
  if (!secret.ok()) return done(secret.status());
  token.sha256 = base::Sha256Hex(*secret);
  if (token.IsJoin() && token.name.empty())
    token.name = "join-" + token.sha256.substr(0, kDigestInCredential / 2);
  const std::string shown =
      token.IsJoin() ? nodeagent::JoinToken{ca_digest_, *secret}.ToString() : *secret;
  Change([&](state::Draft& draft) { return AddToken(draft, token); },
         [done = std::move(done), shown](const base::Status& status) {
           status.ok() ? done(shown) : done(status);
         });
}

void Credentials::RevokeToken(const std::string& name, Done done) {
  Change([&](state::Draft& draft) { return RemoveToken(draft, name); }, std::move(done));
}

void Credentials::UseToken(const std::string& name, Done done) {
  Change([&](state::Draft& draft) { return plumb::UseToken(draft, name); }, std::move(done));
}

void Credentials::DenyNode(const std::string& node, Done done) {
  Change([&](state::Draft& draft) { return plumb::DenyNode(draft, node); }, std::move(done));
}

void Credentials::DenySerial(const std::string& serial, Done done) {
  Change([&](state::Draft& draft) { return plumb::DenySerial(draft, serial); }, std::move(done));
}

std::vector<TokenInfo> Credentials::Tokens() const {
  const state::View& view = store_.view();
  std::vector<TokenInfo> tokens = TokensOf(view);
  const base::Result<VaultContents> vault = ReadVault(view);
  if (vault.ok() && !vault->join_secret.empty()) {
    TokenInfo own{std::string(kOwnJoinToken), std::string(kJoinRole),
                  base::Sha256Hex(vault->join_secret)};
    own.expires = vault->join_expires;
    tokens.push_back(std::move(own));
  }
  return tokens;
}

// What ended since the last time is told: who it authenticated is not any more.
void Credentials::ReadTokens() {
  const base::WallTime now = loop_.now().wall;
  std::vector<TokenInfo> tokens = TokensOf(store_.view());
  std::erase_if(tokens,
                [&](const TokenInfo& token) { return token.IsJoin() || token.IsExpired(now); });
  std::set<std::string> counting, ended, nodes;
  for (const TokenInfo& token : tokens) counting.insert(CredentialOf(token));
  DeniedCertificates denied = DeniedOf(store_.view());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const TokenInfo& token : tokens_) {
      if (!counting.contains(CredentialOf(token))) ended.insert(CredentialOf(token));
    }
    for (const std::string& serial : denied.serials) {
      if (!denied_.serials.contains(serial)) ended.insert("certificate/" + serial);
    }
    for (const auto& [node, time] : denied.nodes) {
      const auto known = denied_.nodes.find(node);
      if (known == denied_.nodes.end() || known->second != time)
        nodes.insert(state::NodeUser(node));
    }
    tokens_ = std::move(tokens);
    denied_ = std::move(denied);
  }
  ReadAgainLater();
  if (on_ended_ == nullptr || (ended.empty() && nodes.empty())) return;
  on_ended_([ended, nodes](const base::Identity& who) {
    return ended.contains(who.credential) || nodes.contains(who.user);
  });
}

// When the next one expires.
void Credentials::ReadAgainLater() {
  loop_.Cancel(std::exchange(timer_, 0));
  base::WallTime next;
  for (const TokenInfo& token : tokens_) {
    if (!token.expires.IsZero() && (next.IsZero() || token.expires < next)) next = token.expires;
  }
  if (next.IsZero()) return;
  const base::Duration wait = std::min(next - loop_.now().wall, kReadAgain);
  timer_ = loop_.After(wait, lifeline_.Wrap([this] {
    timer_ = 0;
    ReadTokens();
  }));
}

}  // namespace plumb
