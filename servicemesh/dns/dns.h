// The names of the cluster: what a question about them is answered with, by Kubernetes' DNS
// specification 1.1.0.
//
// DnsView is immutable and may be asked from any thread; pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "servicemesh/dns/dns_message.h"
#include "servicemesh/services.h"

namespace servicemesh {

inline constexpr uint32_t kDnsTtl = 5;         // seconds
inline constexpr int kMaxDnsAliases = 8;       // followed inside the cluster
inline constexpr size_t kMaxDnsRecords = 512;  // in one answer; a larger service shows a part

class DnsView {
 public:
  // Shares `input`, and adds an index of addresses: making a view costs a few milliseconds at
  // 10,000 services.
  explicit DnsView(std::shared_ptr<const MeshInput> input);

  const MeshInput& input() const { return *input_; }
  const Service* Find(const std::string& ns, const std::string& name) const;  // nullptr if none
  bool HasNamespace(const std::string& ns) const;   // known by a service in it
  std::vector<std::string> NamesOf(Ipv4 ip) const;  // sorted

 private:
  struct Address {
    Ipv4 ip;
    uint32_t service;
    uint32_t endpoint;  // kItself: the service's own
    auto operator<=>(const Address&) const = default;
  };
  static constexpr uint32_t kItself = ~uint32_t{0};

  std::shared_ptr<const MeshInput> input_;
  std::vector<Address> addresses_;  // sorted
};

struct DnsResolution {
  bool ours = true;       // false: not a name of the cluster; ask elsewhere
  DnsAnswer answer;       // if ours
  std::string elsewhere;  // if not "": the answer ends in an alias of this name, of another zone
};

// `turn` rotates the answers, so that clients that take the first spread.
DnsResolution Resolve(const DnsView& view, const DnsQuestion& question, uint32_t turn);

// The name that an endpoint has under its service: its hostname, else its address with dashes.
std::string EndpointName(const Endpoint& endpoint);

}  // namespace servicemesh
