#include "plumb/server/edge/credentials.h"

#include <algorithm>

#include "base/base64.h"
#include "base/document.h"
#include "base/edge/files.h"

namespace plumb {
namespace {

constexpr base::Duration kCaLifetime = base::Duration::Hours(24 * 3650);
constexpr base::Duration kCertificateLifetime = base::Duration::Hours(24 * 365);
constexpr base::Duration kRenewBefore = base::Duration::Hours(24 * 30);
constexpr size_t kMaxCredentialFile = 1 << 20;
constexpr int kPrivate = 0600;

base::Result<std::string> ReadIfThere(const std::string& path) {
  base::Result<std::string> text = base::ReadFile(path, kMaxCredentialFile);
  if (!text.ok() && text.status().code() == base::Code::kNotFound) return std::string();
  return text;
}

base::Status LoadPair(const std::string& path, base::KeyPair& pair) {
  ASSIGN_OR_RETURN(pair.cert_pem, ReadIfThere(path + ".crt"));
  ASSIGN_OR_RETURN(pair.key_pem, ReadIfThere(path + ".key"));
  return base::Status();
}

base::Status SavePair(const std::string& path, const base::KeyPair& pair) {
  RETURN_IF_ERROR(base::WriteFileAtomic(path + ".key", pair.key_pem, kPrivate));
  return base::WriteFileAtomic(path + ".crt", pair.cert_pem, 0644);
}

bool EndsSoon(const std::string& pem, base::WallTime now) {
  const base::Result<base::CertificateInfo> info = base::ReadCertificate(pem);
  return !info.ok() || info->not_after - kRenewBefore < now;
}

}  // namespace

base::Result<std::unique_ptr<Credentials>> Credentials::Open(const std::string& data_dir,
                                                             const std::vector<std::string>& names,
                                                             const std::string& server_url,
                                                             base::WallTime now) {
  std::unique_ptr<Credentials> credentials(new Credentials(data_dir));
  RETURN_IF_ERROR(credentials->LoadOrCreate(names, server_url, now));
  return credentials;
}

base::Status Credentials::LoadOrCreate(const std::vector<std::string>& names,
                                       const std::string& server_url, base::WallTime now) {
  const std::string pki = data_.pki();
  RETURN_IF_ERROR(base::MakeDirectories(pki, 0700));
  RETURN_IF_ERROR(LoadPair(pki + "/ca", ca_));
  if (ca_.key_pem.empty()) {
    ASSIGN_OR_RETURN(ca_, base::CreateCa("plumb", {now, kCaLifetime}));
    RETURN_IF_ERROR(SavePair(pki + "/ca", ca_));
  }
  // The server's own certificate is cheap: a new one at every start covers names that were added.
  ASSIGN_OR_RETURN(server_, base::IssueServerCertificate(ca_, names, {now, kCertificateLifetime}));
  server_.cert_pem +=
      ca_.cert_pem;  // a node that knows only the authority's digest must see it in the chain
  ASSIGN_OR_RETURN(join_secret_, ReadIfThere(pki + "/join"));
  if (join_secret_.empty()) {
    ASSIGN_OR_RETURN(join_secret_, base::RandomToken());
    RETURN_IF_ERROR(base::WriteFileAtomic(pki + "/join", join_secret_, kPrivate));
  }
  ASSIGN_OR_RETURN(std::string digest, base::CertificateDigest(ca_.cert_pem));
  join_token_ = "plumb-" + digest.substr(digest.find(':') + 1) + "-" + join_secret_;
  RETURN_IF_ERROR(LoadTokens());
  RETURN_IF_ERROR(WriteKubeconfig(server_url, now));
  return base::WriteFileAtomic(data_.join_token(), join_token_ + "\n", kPrivate);
}

base::Status Credentials::WriteKubeconfig(const std::string& server_url, base::WallTime now) {
  const std::string path = data_.pki() + "/admin";
  base::KeyPair admin;
  RETURN_IF_ERROR(LoadPair(path, admin));
  if (admin.key_pem.empty() || EndsSoon(admin.cert_pem, now)) {
    ASSIGN_OR_RETURN(admin, base::IssueClientCertificate(ca_, {"admin", {"plumb:admin"}},
                                                         {now, kCertificateLifetime}));
    RETURN_IF_ERROR(SavePair(path, admin));
  }
  return base::WriteFileAtomic(kubeconfig_path(), KubeconfigText(server_url, ca_.cert_pem, admin),
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

base::Status Credentials::LoadTokens() {
  ASSIGN_OR_RETURN(const std::string text, ReadIfThere(data_.pki() + "/tokens.json"));
  if (text.empty()) return base::Status();
  base::Result<base::Json> json = base::ParseJson(text);
  if (!json.ok()) return json.status().WithContext(data_.pki() + "/tokens.json");
  for (const base::Json& each : json->Elements()) {
    tokens_.push_back({std::string(each["name"].AsString()), std::string(each["role"].AsString()),
                       std::string(each["sha256"].AsString())});
  }
  return base::Status();
}

base::Status Credentials::SaveTokens(const std::vector<TokenInfo>& tokens) const {
  base::Json json = base::Json::MakeArray();
  for (const TokenInfo& token : tokens) {
    json.Append(base::Json::MakeObject(
        {{"name", token.name}, {"role", token.role}, {"sha256", token.sha256}}));
  }
  return base::WriteFileAtomic(data_.pki() + "/tokens.json", json.ToString() + "\n", kPrivate);
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

base::Result<std::string> Credentials::CreateToken(const std::string& name,
                                                   const std::string& role) {
  if (std::find(std::begin(kRoles), std::end(kRoles), role) == std::end(kRoles)) {
    return base::Status(base::Code::kInvalid,
                        "there is no role \"" + role + "\"; roles are admin, deployer and viewer");
  }
  if (name.empty()) return base::Status(base::Code::kInvalid, "a token needs a name");
  ASSIGN_OR_RETURN(std::string secret, base::RandomToken());
  std::vector<TokenInfo> tokens = Tokens();
  for (const TokenInfo& token : tokens) {
    if (token.name == name) {
      return base::Status(base::Code::kAlreadyExists,
                          "there is a token \"" + name + "\"; revoke it or choose another name");
    }
  }
  tokens.push_back({name, role, base::Sha256Hex(secret)});
  RETURN_IF_ERROR(SaveTokens(tokens));
  const std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::move(tokens);
  return secret;
}

base::Status Credentials::RevokeToken(const std::string& name) {
  std::vector<TokenInfo> tokens = Tokens();
  if (std::erase_if(tokens, [&](const TokenInfo& token) { return token.name == name; }) == 0) {
    return base::Status(base::Code::kNotFound,
                        "there is no token \"" + name + "\"; see 'plumb token list'");
  }
  RETURN_IF_ERROR(SaveTokens(tokens));
  const std::lock_guard<std::mutex> lock(mutex_);
  tokens_ = std::move(tokens);
  return base::Status();
}

std::vector<TokenInfo> Credentials::Tokens() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return tokens_;
}

}  // namespace plumb
