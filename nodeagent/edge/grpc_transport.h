// Frames over gRPC with mutual TLS: the listener of the control plane and the dialer of the agent.
//
// Made, called and destroyed on the loop, which must outlive them. No connection owns a thread. A
// peer proves its name by a certificate of the cluster's CA for "system:node:NAME"; reading waits
// until the loop has handled the frame before, so that a fast peer cannot fill memory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "nodeagent/edge/connection_guard.h"
#include "nodeagent/session/transport.h"

namespace nodeagent {

struct TlsIdentity {
  std::string ca_pem;           // who is believed
  std::string certificate_pem;  // one's own, and its chain
  std::string key_pem;
};

class GrpcListener {
 public:
  using Accept = std::function<void(std::unique_ptr<FrameChannel>)>;
  // What to call a certificate that the authority has signed (FrameChannel::credential), or why it
  // counts no more. Any thread.
  using Admit = std::function<base::Result<std::string>(const std::string& certificate_pem)>;

  // `address` is "IP:PORT"; port 0: any. Nodes are accepted after Start.
  GrpcListener(base::Loop& loop, std::string address, TlsIdentity identity, Accept accept,
               Admit admit = nullptr, const ConnectionLimits& limits = {});
  ~GrpcListener();

  // kUnavailable if the port is taken or the identity does not load.
  base::Status Start();
  int port() const;
  // Breaks all connections and returns when gRPC has let go of them.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// `server` is "HOST:PORT"; HOST must be in the server's certificate. `identity` is asked for each
// connection: certificates are renewed.
std::unique_ptr<FrameDialer> NewGrpcDialer(base::Loop& loop, std::string server,
                                           std::function<TlsIdentity()> identity);

}  // namespace nodeagent
