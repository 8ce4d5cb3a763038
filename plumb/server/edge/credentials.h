// Credentials: who may do what, in the server's data directory: its certificate authority, its own
// certificate, the administrator's kubeconfig, the token that nodes join with, and the tokens of
// people and pipelines.
//
// Loop only, but for Authenticate, which any thread may call. Files are 0600; tokens are kept as
// SHA-256.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/net/edge/pki.h"
#include "base/net/exchange.h"
#include "base/net/http.h"
#include "base/status.h"
#include "base/time.h"
#include "plumb/data_directory.h"

namespace plumb {

// A role is a group of plumb's own: admin, deployer, viewer.
inline constexpr const char* kRoles[] = {"admin", "deployer", "viewer"};

struct TokenInfo {
  std::string name;
  std::string role;
  std::string sha256;  // of the secret, hexadecimal
};

class Credentials {
 public:
  // Reads what is there and makes what is missing. `names`: DNS names and addresses that clients
  // use for the server.
  static base::Result<std::unique_ptr<Credentials>> Open(const std::string& data_dir,
                                                         const std::vector<std::string>& names,
                                                         const std::string& server_url,
                                                         base::WallTime now);

  const base::KeyPair& ca() const { return ca_; }
  const base::KeyPair& server() const { return server_; }
  std::string ca_path() const { return data_.pki() + "/ca.crt"; }
  std::string kubeconfig_path() const { return data_.kubeconfig(); }
  const std::string& join_token() const { return join_token_; }
  const std::string& join_secret() const { return join_secret_; }

  // By client certificate, bearer token or basic authentication (the password is the token: git).
  // No credential at all is an empty identity; a wrong one is kUnauthorized.
  base::Result<base::Identity> Authenticate(const base::IncomingRequest& request) const;

  // The secret is shown once.
  base::Result<std::string> CreateToken(const std::string& name, const std::string& role);
  base::Status RevokeToken(const std::string& name);
  std::vector<TokenInfo> Tokens() const;

 private:
  explicit Credentials(std::string data_dir) : data_(std::move(data_dir)) {}
  base::Status LoadOrCreate(const std::vector<std::string>& names, const std::string& server_url,
                            base::WallTime now);
  base::Status WriteKubeconfig(const std::string& server_url, base::WallTime now);
  base::Status LoadTokens();
  base::Status SaveTokens(const std::vector<TokenInfo>& tokens) const;

  const DataDirectory data_;
  base::KeyPair ca_, server_;
  std::string join_token_, join_secret_;
  mutable std::mutex mutex_;
  std::vector<TokenInfo> tokens_;
};

// A kubeconfig for one server and one client certificate.
std::string KubeconfigText(const std::string& server_url, const std::string& ca_pem,
                           const base::KeyPair& client);

}  // namespace plumb
