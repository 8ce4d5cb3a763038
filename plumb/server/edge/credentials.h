// Credentials: who may do what, by the vault in the store: the certificate authority, the server's
// own certificate, the token that nodes join with, and the tokens of people and pipelines. The
// data directory gets copies for people: the administrator's kubeconfig, the authority's
// certificate, the join token.
//
// Loop only, but for Authenticate, which any thread may call. Files with a secret are 0600; tokens
// are kept as SHA-256.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/net/edge/pki.h"
#include "base/net/exchange.h"
#include "base/net/http.h"
#include "base/status.h"
#include "base/subscription.h"
#include "base/time.h"
#include "plumb/data_directory.h"
#include "plumb/server/vault.h"
#include "state/writer.h"

namespace plumb {

// What a vault begins with: what an earlier plumb kept in files of the data directory, else a new
// authority and a new join secret.
base::Result<VaultContents> FirstCredentials(const DataDirectory& data, base::WallTime now);

struct CredentialsOptions {
  std::string data_dir;
  std::vector<std::string> names;  // DNS names and addresses that clients use for the server
  std::string server_url;
};

class Credentials {
 public:
  // Reads the store's vault, which is filled and durable, and writes the copies. `context` as of
  // every draft.
  static base::Result<std::unique_ptr<Credentials>> Open(base::Loop& loop, state::Store& store,
                                                         const state::DraftContext& context,
                                                         const CredentialsOptions& options);

  const base::KeyPair& ca() const { return ca_; }
  const base::KeyPair& server() const { return server_; }
  std::string kubeconfig_path() const { return data_.kubeconfig(); }
  const std::string& join_token() const { return join_token_; }
  const std::string& join_secret() const { return join_secret_; }

  // By client certificate, bearer token or basic authentication (the password is the token: git).
  // No credential at all is an empty identity; a wrong one is kUnauthorized.
  base::Result<base::Identity> Authenticate(const base::IncomingRequest& request) const;

  // `done` is called on the loop when it is durable. The secret is shown once.
  void CreateToken(const std::string& name, const std::string& role,
                   std::function<void(base::Result<std::string>)> done);
  void RevokeToken(const std::string& name, std::function<void(base::Status)> done);
  std::vector<TokenInfo> Tokens() const;

 private:
  Credentials(base::Loop& loop, state::Store& store, const state::DraftContext& context,
              std::string data_dir);
  base::Status Load(const CredentialsOptions& options, base::WallTime now);
  base::Status WriteKubeconfig(const std::string& server_url, base::WallTime now);
  void ReadTokens();

  state::Store& store_;
  state::Writer writer_;
  const DataDirectory data_;
  base::KeyPair ca_, server_;
  std::string join_token_, join_secret_;
  mutable std::mutex mutex_;
  std::vector<TokenInfo> tokens_;  // of the newest state: what was revoked is so at once
  base::Subscription commits_;
};

// A kubeconfig for one server and one client certificate.
std::string KubeconfigText(const std::string& server_url, const std::string& ca_pem,
                           const base::KeyPair& client);

}  // namespace plumb
