// Forwarder: lets programs of the root namespace reach a server inside a cluster's namespaces. It
// listens on 127.0.0.1 here and connects from sockets that it opens there: no address and no route
// of the cluster exists outside.
//
// One thread and epoll; a process of its own (`plumb dev-forward`).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace plumb {

inline constexpr size_t kMaxForwardedConnections = 1024;  // more wait in the listen backlog
inline constexpr size_t kForwardBufferBytes = 64 << 10;   // for each direction of a connection

struct Forward {
  uint16_t listen_port = 0;       // of 127.0.0.1
  std::string network_namespace;  // its name
  std::string address;            // IPv4
  uint16_t port = 0;
};
// "LISTEN=NAMESPACE,ADDRESS:PORT", as an argument of `plumb dev-forward`.
std::string FormatForward(const Forward& forward);
base::Result<Forward> ParseForward(std::string_view text);

// Forwards until SIGTERM or SIGINT. kUnavailable if a port is taken.
base::Status RunForwarder(const std::vector<Forward>& forwards);

// `plumb dev-forward FORWARD...`: the exit code.
int DevForwardCommand(const std::vector<std::string>& args);

// A port of 127.0.0.1 that is free now.
base::Result<uint16_t> FindFreePort();
bool PortIsFree(uint16_t port);

}  // namespace plumb
