// Joining, the agent's side: from a token to a certificate of its own, kept and renewed.
//
// Blocking functions; any thread.
#pragma once

#include <string>

#include "base/status.h"
#include "base/time.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/join_handler.h"

namespace nodeagent {

struct JoinOptions {
  std::string server;  // "https://HOST:PORT"
  std::string token;   // not needed once joined
  std::string node;
  std::string directory;  // for node.pem (key, then certificate) and ca.crt, mode 0600
};

// The stored identity if it is this node's and good for a while; renewed with itself if it is in
// the last third of its life; else a new one by the token. A renewal that fails while the
// certificate is still valid is logged, and the old one returned.
base::Result<TlsIdentity> EnsureIdentity(const JoinOptions& options, base::WallTime now);

// When EnsureIdentity will renew: a third of the life before the end.
base::Result<base::WallTime> RenewalTime(const TlsIdentity& identity);

}  // namespace nodeagent
