// EtcdPeer: the machine's own etcd, one member on loopback, spoken to over gRPC as Kubernetes does.
//
// One owner; the child and its data end with it.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"

namespace bench {

class EtcdPeer {
 public:
  // kNotFound if this machine has no etcd.
  static base::Result<std::unique_ptr<EtcdPeer>> Start(const std::string& directory);
  virtual ~EtcdPeer() = default;

  virtual std::string version() const = 0;  // "3.4.23"
  // Puts by `writers` that each wait for their last one, for `seconds`: puts a second.
  virtual base::Result<double> Puts(int writers, const std::string& value, double seconds) = 0;
};

}  // namespace bench
