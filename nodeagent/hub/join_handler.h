// Joining, the control plane's side: who may have a node's certificate.
//
// Pure: checks only; what signs is passed in. A token is "plumb-CADIGEST-SECRET": the joining
// machine uses the digest to know the server, the server knows the SHA-256 of the secret only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace nodeagent {

struct JoinToken {
  std::string ca_digest;  // 64 hexadecimal digits: SHA-256 of the CA's DER
  std::string secret;
  std::string ToString() const;
};
// kInvalid with what a token looks like; the message never has the secret.
base::Result<JoinToken> ParseJoinToken(std::string_view text);

// One token that the cluster takes, as it is stored.
struct AcceptedToken {
  std::string name;
  std::string secret_sha256;  // hexadecimal
  base::WallTime expires;     // zero: never
  std::string node = {};      // the only name that it vouches for; empty: any
};

// What the cluster knows of the node that asks.
struct KnownNode {
  bool exists = false;  // it has a Node, which is not being deleted
  bool live = false;    // it is heard from
};

// The names of nodes are DNS labels; they end up in certificates.
bool IsNodeName(std::string_view name);

struct JoinRequest {
  std::string node;
  std::string secret;  // of the token; empty when `renewing`
  std::string csr_pem;
  // The node that the connection's own certificate names, "" if it showed none: it may renew.
  std::string certified_node;
};

struct JoinAnswer {
  std::string certificate_pem;
  std::string ca_pem;
};

struct Joined {
  JoinAnswer answer;
  std::string token;  // that vouched for it; empty: its certificate did
};

struct JoinAuthority {
  std::function<std::string(std::string_view)> sha256_hex;
  std::function<bool(std::string_view, std::string_view)> equal_in_constant_time;
  // Signs for user system:node:NODE in group system:nodes.
  std::function<base::Result<JoinAnswer>(const std::string& node, const std::string& csr_pem)> sign;
};

// kUnauthorized: no token, an unknown or an expired one or one for another name, and no certificate
// of that very node, or of one that is gone. kConflict: the name is a live node's.
base::Result<Joined> HandleJoin(const JoinRequest& request, const KnownNode& node,
                                const std::vector<AcceptedToken>& tokens, base::WallTime now,
                                const JoinAuthority& authority);

// The bodies of POST /plumb/v1/join.
std::string EncodeJoinRequest(const JoinRequest& request);
base::Result<JoinRequest> DecodeJoinRequest(std::string_view body);
std::string EncodeJoinAnswer(const JoinAnswer& answer);
base::Result<JoinAnswer> DecodeJoinAnswer(std::string_view body);

inline constexpr char kJoinPath[] = "/plumb/v1/join";
inline constexpr size_t kMaxCsrBytes = 16u << 10;

}  // namespace nodeagent
