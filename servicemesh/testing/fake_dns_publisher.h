// FakeDnsPublisher: answers as the DNS server would, from the view published last.
#pragma once

#include <memory>
#include <utility>

#include "servicemesh/dns/dns_publisher.h"

namespace servicemesh {

class FakeDnsPublisher final : public DnsPublisher {
 public:
  void Publish(std::shared_ptr<const DnsView> view) override { view_ = std::move(view); }

  // Null before the first.
  const DnsView* view() const { return view_.get(); }
  void Forget() { view_.reset(); }

 private:
  std::shared_ptr<const DnsView> view_;
};

}  // namespace servicemesh
