// The range that Services get their addresses from. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ip.h"

namespace state {

// The first and last addresses of the range that are left to the cluster itself: the first is the
// API's, the tenth DNS.
inline constexpr uint32_t kReservedServiceAddresses = 10;

// Whether only plumb gives this address to a Service.
inline bool IsReservedAddress(const base::Cidr& range, uint32_t address) {
  const uint64_t at = address - range.first();
  return range.Contains(address) &&
         (at <= kReservedServiceAddresses || at + kReservedServiceAddresses > range.size());
}

// The address of the API server's Service, "kubernetes" in "default", which plumb makes.
inline bool IsApiAddress(const base::Cidr& range, uint32_t address, std::string_view ns,
                         std::string_view name) {
  return address == range.first() + 1 && ns == "default" && name == "kubernetes";
}

}  // namespace state
