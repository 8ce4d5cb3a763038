// Vault: the credentials of a cluster, as Secrets of plumb-system. What a backup holds and a second
// control plane would share is therefore all of them:
//
//   plumb.ca           kubernetes.io/tls  tls.crt, tls.key: of the certificate authority
//   plumb.join         plumb.dev/join     secret: what a join token proves knowledge of
//   plumb.token.NAME   plumb.dev/token    name, role, sha256 (of the token, which nothing keeps)
//
// Pure functions of a View and a Draft. state/own_secrets.h says who may touch the Secrets; the
// Draft's actor is state::VaultActor().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "state/draft.h"
#include "state/view.h"

namespace plumb {

// A role is a group of plumb's own.
inline constexpr std::string_view kRoles[] = {"admin", "deployer", "viewer"};

struct TokenInfo {
  std::string name;
  std::string role;
  std::string sha256;  // of the secret, hexadecimal
};

struct VaultContents {
  std::string ca_certificate, ca_key;  // PEM
  std::string join_secret;
  std::vector<TokenInfo> tokens;  // by name
};

// kNotFound if nothing was put in yet; kCorruption if a Secret does not read back.
base::Result<VaultContents> ReadVault(const state::View& view);

bool HasVault(const state::View& view);  // it was filled

// Fills an empty vault with what `first` gives, which is asked only then.
base::Status EnsureVault(state::Draft& draft,
                         const std::function<base::Result<VaultContents>()>& first);

std::vector<TokenInfo> TokensOf(const state::View& view);

// kInvalid, kAlreadyExists: in words for who asked for it.
base::Status AddToken(state::Draft& draft, const TokenInfo& token);
// kNotFound.
base::Status RemoveToken(state::Draft& draft, const std::string& name);

}  // namespace plumb
