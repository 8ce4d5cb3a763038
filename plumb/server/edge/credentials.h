// Credentials: who may do what, by the vault in the store: the certificate authority, the server's
// own certificate, the tokens that nodes join with, those of people and pipelines, and the
// certificates that count no more. The
// data directory gets copies for people: the administrator's kubeconfig, the authority's
// certificate, the join token.
//
// Loop only, but for Authenticate, CheckCertificate and Counts, which any thread may call. Files
// with a secret are 0600; tokens are kept as SHA-256.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/lifeline.h"
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
  // The server's own, as it stands in the file of its name.
  const std::string& join_token() const { return join_token_; }
  std::string join_token_path() const { return data_.join_token(); }

  // Called with who is authenticated by something that counts no more: a token that was revoked or
  // has expired, a certificate that was denied.
  using Ended = std::function<bool(const base::Identity&)>;
  void OnEnded(std::function<void(const Ended&)> listener) { on_ended_ = std::move(listener); }

  // By client certificate, bearer token or basic authentication (the password is the token: git).
  // No credential at all is an empty identity; a wrong one is kUnauthorized.
  base::Result<base::Identity> Authenticate(const base::IncomingRequest& request) const;
  // What an identity's credential is called that is proved by the certificate, which is the
  // authority's; kUnauthorized if it was denied.
  base::Result<std::string> CheckCertificate(const std::string& pem) const;
  bool Counts(const base::PeerCertificate& certificate) const;  // it was not denied

  // Each `done` is called on the loop when it is durable.
  using Done = std::function<void(base::Status)>;
  // Of `token` all but the digest. The secret, or the join token, is shown once; a join token
  // without a name gets one.
  void CreateToken(TokenInfo token, std::function<void(base::Result<std::string>)> done);
  void RevokeToken(const std::string& name, Done done);
  void UseToken(const std::string& name, Done done);
  void DenyNode(const std::string& node, Done done);
  void DenySerial(const std::string& serial, Done done);
  // All there are, the server's own join token among them.
  std::vector<TokenInfo> Tokens() const;

 private:
  Credentials(base::Loop& loop, state::Store& store, const state::DraftContext& context,
              std::string data_dir);
  base::Status Load(const CredentialsOptions& options, base::WallTime now);
  base::Status WriteKubeconfig(const std::string& server_url, base::WallTime now);
  base::Status RenewJoinSecret(VaultContents& vault, base::WallTime now);
  void ReadTokens();
  void ReadAgainLater();
  void Change(const std::function<base::Status(state::Draft&)>& change, Done done);

  base::Loop& loop_;
  state::Store& store_;
  state::Writer writer_;
  const DataDirectory data_;
  base::KeyPair ca_, server_;
  std::string ca_digest_, join_token_;
  std::function<void(const Ended&)> on_ended_;
  mutable std::mutex mutex_;
  // Of the newest state: what was revoked is so at once. Those of people, that have not expired.
  std::vector<TokenInfo> tokens_;
  DeniedCertificates denied_;
  base::Loop::TimerId timer_ = 0;
  base::Lifeline lifeline_;
  base::Subscription commits_;
};

// A kubeconfig for one server and one client certificate.
std::string KubeconfigText(const std::string& server_url, const std::string& ca_pem,
                           const base::KeyPair& client);

}  // namespace plumb
