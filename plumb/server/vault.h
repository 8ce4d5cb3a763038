// Vault: the credentials of a cluster, as Secrets of plumb-system. What a backup holds and a second
// control plane would share is therefore all of them:
//
//   plumb.ca           kubernetes.io/tls  tls.crt, tls.key: of the certificate authority
//   plumb.join         plumb.dev/join     secret: what the server's own join token proves knowledge
//                                         of; expires
//   plumb.token.NAME   plumb.dev/token    name, role, sha256 (of the token, which nothing keeps);
//                                         if it is bound: expires, uses, node, repositories,
//                                         branches, verbs
//   plumb.denied       plumb.dev/denied   certificates that count no more: SERIAL, node.NAME
//
// A token of the role "join" lets a machine join as a node, and nothing else.
//
// Pure functions of a View and a Draft. state/own_secrets.h says who may touch the Secrets; the
// Draft's actor is state::VaultActor().
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/identity.h"
#include "base/status.h"
#include "base/time.h"
#include "state/draft.h"
#include "state/view.h"

namespace plumb {

// A role is a group of plumb's own.
inline constexpr std::string_view kRoles[] = {"admin", "deployer", "viewer"};
inline constexpr std::string_view kJoinRole = "join";
// The server's own join token, as tokens are listed.
inline constexpr std::string_view kOwnJoinToken = "join";

struct TokenInfo {
  std::string name;
  std::string role;
  std::string sha256;           // of the secret, hexadecimal
  base::WallTime expires = {};  // zero: never
  int uses = 0;                 // of a join token, that are left; 0: any number
  std::string node = {};        // of a join token: the only name that it is for; empty: any
  base::CredentialBounds bounds = {};

  bool IsJoin() const { return role == kJoinRole; }
  bool IsExpired(base::WallTime now) const { return !expires.IsZero() && now >= expires; }
};

// Certificates that count no more, though they have not expired.
struct DeniedCertificates {
  std::set<std::string> serials;                // upper-case hexadecimal
  std::map<std::string, base::WallTime> nodes;  // those of the node that were issued before

  bool Denies(const std::string& serial, const std::string& user, base::WallTime issued) const;
};

struct VaultContents {
  std::string ca_certificate, ca_key;  // PEM
  std::string join_secret;             // of the server's own join token; empty: it was revoked
  std::vector<TokenInfo> tokens;       // by name
  base::WallTime join_expires = {};
};

// kNotFound if nothing was put in yet; kCorruption if a Secret does not read back.
base::Result<VaultContents> ReadVault(const state::View& view);

bool HasVault(const state::View& view);  // it was filled

// Fills an empty vault with what `first` gives, which is asked only then.
base::Status EnsureVault(state::Draft& draft,
                         const std::function<base::Result<VaultContents>()>& first);

std::vector<TokenInfo> TokensOf(const state::View& view);
DeniedCertificates DeniedOf(const state::View& view);

// kInvalid, kAlreadyExists: in words for who asked for it. Takes what has expired away.
base::Status AddToken(state::Draft& draft, const TokenInfo& token);
// kNotFound. The server's own join token, too.
base::Status RemoveToken(state::Draft& draft, const std::string& name);
// One use less of a join token; the last one takes it away.
base::Status UseToken(state::Draft& draft, const std::string& name);
// The server's own join token becomes another one.
base::Status SetJoinSecret(state::Draft& draft, const std::string& secret, base::WallTime expires);

// From the draft's time on: those of a node that were issued until now, or one by its serial.
// kInvalid if it is no serial.
base::Status DenyNode(state::Draft& draft, const std::string& node);
base::Status DenySerial(state::Draft& draft, const std::string& serial);

}  // namespace plumb
