// resolv.conf: how a resolver is told whom to ask and what to append (resolv.conf(5)).
//
// Values, any thread; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"

namespace servicemesh {

struct ResolverConfig {
  std::vector<std::string> nameservers;
  std::vector<std::string> searches;
  std::vector<std::string> options;  // "ndots:5"
  std::string ToString() const;      // as a file
};

// Limits of what a pod is given, those of Kubernetes; what is beyond is left off at the end.
inline constexpr size_t kMaxNameservers = 3;
inline constexpr size_t kMaxSearches = 32;
inline constexpr size_t kMaxSearchBytes = 2048;  // all together, with the spaces between

// Lines that are not understood are passed over, as resolvers do.
ResolverConfig ParseResolverConfig(std::string_view text);

// The contents of a pod's resolv.conf, from its spec's dnsPolicy, dnsConfig and hostNetwork.
// `cluster_dns` is the address of the cluster's DNS; if it is "", ClusterFirst means Default.
std::string ResolvConf(base::Value pod_spec, std::string_view ns, std::string_view cluster_dns,
                       std::string_view cluster_domain, const ResolverConfig& node);

}  // namespace servicemesh
