// DnsServer: answers DNS over UDP and TCP from the view published last, and asks upstream servers
// about names that are not the cluster's.
//
// One thread of its own. Publish and the counters: any thread. Without a view yet it answers
// SERVFAIL: not knowing is not absence.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "servicemesh/dns/dns_publisher.h"

namespace servicemesh {

struct DnsServerOptions {
  std::string network_namespace;       // where it listens and asks; "" is the process's own
  std::vector<Ipv4> listen;            // need not exist yet on a device
  uint16_t port = 53;                  // 0: one that is free (with a single address)
  std::vector<base::Cidr> clients;     // who is answered; others get silence. Empty: all
  std::vector<std::string> upstreams;  // addresses, the first kMaxUpstreams count
  uint16_t upstream_port = 53;
  base::Duration upstream_timeout = base::Duration::Seconds(2);  // of one attempt
};

inline constexpr size_t kMaxUpstreams = 3;
inline constexpr size_t kMaxDnsTcpConnections = 128;  // a further one is closed at once
inline constexpr size_t kMaxDnsTcpPerClient = 16;     // of one address, likewise
inline constexpr size_t kMaxDnsTcpPending = 16;       // questions of one connection under way
inline constexpr base::Duration kDnsTcpIdle = base::Duration::Seconds(10);

class DnsServer final : public DnsPublisher {
 public:
  // An error names the address that cannot be had, and what to do. Addresses of `listen` are left
  // out of the upstreams, as it would ask itself.
  static base::Result<std::unique_ptr<DnsServer>> Start(const DnsServerOptions& options);
  ~DnsServer() override;

  // What is answered from now on.
  void Publish(std::shared_ptr<const DnsView> view) override;

  uint16_t port() const;
  uint64_t queries() const;   // answered or passed on
  uint64_t failures() const;  // answered SERVFAIL

 private:
  struct Core;
  explicit DnsServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace servicemesh
