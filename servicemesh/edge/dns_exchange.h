// DnsExchange: one question asked of the upstream servers, one after another until one answers.
//
// On the poller's thread. A socket of its own for each attempt, so that the source port is the
// kernel's random choice; replies count only from the server asked, with the id and the question
// sent (RFC 5452).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/edge/poller.h"
#include "base/time.h"
#include "servicemesh/dns/dns_message.h"

namespace servicemesh {

struct DnsUpstream {
  sockaddr_storage address{};
  socklen_t length = 0;
  // "192.0.2.1" or an IPv6 address. kInvalid.
  static base::Result<DnsUpstream> Parse(const std::string& ip, uint16_t port = 53);
};

// What exchanges share. Owned by the server; outlives them.
struct DnsUpstreams {
  std::vector<DnsUpstream> servers;
  base::Duration timeout;  // of one attempt
  size_t preferred = 0;    // the one that answered last is asked first
  size_t in_flight = 0;
};

inline constexpr size_t kMaxDnsInFlight = 512;  // questions under way to upstream servers

struct DnsUpstreamReply {
  std::string message;  // with the id of `DnsAsk`'s message
  DnsReply parsed;
};

// Sends `message`, a query, with an id of its own; `done` gets the reply with the message's id, or
// kUnavailable (no server answered), kTooManyRequests (kMaxDnsInFlight). It may run at once. It
// does not run if the poller stops.
void DnsAsk(base::Poller& poller, DnsUpstreams& upstreams, std::string message, bool over_tcp,
            std::function<void(base::Result<DnsUpstreamReply>)> done);

}  // namespace servicemesh
