// Ipv4: an address as a type, host order. Ranges are base::Cidr.
//
// A value, any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace servicemesh {

struct Ipv4 {
  uint32_t bits = 0;  // 0 is 0.0.0.0, "any"

  static std::optional<Ipv4> Parse(std::string_view text) {
    const base::Result<uint32_t> bits = base::ParseIpv4(text);
    return bits.ok() ? std::optional(Ipv4{*bits}) : std::nullopt;
  }
  std::string ToString() const { return base::FormatIpv4(bits); }
  bool IsAny() const { return bits == 0; }
  auto operator<=>(const Ipv4&) const = default;
};

inline bool Contains(const base::Cidr& range, Ipv4 ip) { return range.Contains(ip.bits); }
// The range of no use that stands for "not given": 0.0.0.0/32.
inline base::Cidr NoCidr() { return base::Cidr(0, 32); }

}  // namespace servicemesh
