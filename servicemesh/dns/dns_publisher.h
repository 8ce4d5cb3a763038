// DnsPublisher: the seam to who answers DNS on this node: edge/dns_server over UDP and TCP.
#pragma once

#include <memory>

#include "servicemesh/dns/dns.h"

namespace servicemesh {

class DnsPublisher {
 public:
  virtual ~DnsPublisher() = default;

  // What is answered from now on. Any thread.
  virtual void Publish(std::shared_ptr<const DnsView> view) = 0;
};

}  // namespace servicemesh
