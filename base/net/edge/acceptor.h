// Acceptor: a TCP port on a poller. While the process may open no more files it waits, without
// turning in circles; a socket that fails is opened again.
#pragma once

#include <functional>
#include <string>

#include "base/edge/poller.h"
#include "base/net/edge/tls_listener.h"

namespace base {

struct AcceptedPeer {
  std::string text;  // "192.0.2.7:4711", "[2001:db8::1]:4711"
  std::string
      share;  // whom limits for one address hold for: an IPv4 address, an IPv6 network of /64
};

// On the poller's thread. The socket does not block.
using OnAccepted = std::function<void(UniqueFd fd, AcceptedPeer peer)>;

// From any thread; ends with the poller. `socket` listens at `address`.
void StartAccepting(Poller& poller, std::string address, ListeningSocket socket,
                    OnAccepted accepted);

}  // namespace base
