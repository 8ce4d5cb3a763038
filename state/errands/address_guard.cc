// Refused are the ranges that IANA's registries of special-purpose addresses do not call globally
// reachable (RFC 6890 and what updates it): loopback, private, shared, link-local with the clouds'
// metadata service, documentation, benchmarks, multicast, reserved. Of IPv6 only 2000::/3 is open,
// without documentation and the ranges that tunnel IPv4 to anywhere (6to4, Teredo).
#include "state/errands/address_guard.h"

#include <algorithm>

namespace state {
namespace {

constexpr struct {
  uint32_t first;
  int prefix_length;
} kClosed[] = {
    {0x00000000, 8},   // 0.0.0.0: this network
    {0x0a000000, 8},   // 10.0.0.0: private
    {0x64400000, 10},  // 100.64.0.0: shared
    {0x7f000000, 8},   // 127.0.0.0: loopback
    {0xa9fe0000, 16},  // 169.254.0.0: link-local
    {0xac100000, 12},  // 172.16.0.0: private
    {0xc0000000, 24},  // 192.0.0.0: protocols
    {0xc0000200, 24},  // 192.0.2.0: documentation
    {0xc0586300, 24},  // 192.88.99.0: relays of 6to4
    {0xc0a80000, 16},  // 192.168.0.0: private
    {0xc6120000, 15},  // 198.18.0.0: benchmarks
    {0xc6336400, 24},  // 198.51.100.0: documentation
    {0xcb007100, 24},  // 203.0.113.0: documentation
    {0xe0000000, 3},   // 224.0.0.0: multicast, reserved, broadcast
};

using Ipv6 = std::array<uint8_t, 16>;

// The four bytes from `at`.
uint32_t Ipv4In(const Ipv6& address, size_t at) {
  uint32_t ipv4 = 0;
  for (size_t i = at; i < at + 4; ++i) ipv4 = ipv4 << 8 | address[i];
  return ipv4;
}

bool StartsWith(const Ipv6& address, std::initializer_list<uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), address.begin());
}

std::string Format(const Ipv6& address) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < address.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += kDigits[address[i] >> 4];
    text += kDigits[address[i] & 15];
  }
  return text;
}

base::Status Refused(const std::string& address, const std::string& what_to_do) {
  return base::Status(base::Code::kForbidden,
                      "no call goes to the internal address " + address + what_to_do);
}

}  // namespace

base::Status AddressGuard::Check(uint32_t ipv4) const {
  const auto contains = [&](const base::Cidr& range) { return range.Contains(ipv4); };
  if (std::any_of(allowed_.begin(), allowed_.end(), contains)) return base::Status();
  for (const auto& closed : kClosed) {
    if (base::Cidr(closed.first, closed.prefix_length).Contains(ipv4)) {
      return Refused(base::FormatIpv4(ipv4),
                     "; plumb server --webhook-allow CIDR opens a range of them");
    }
  }
  return base::Status();
}

base::Status AddressGuard::Check(const Ipv6& address) const {
  const bool mapped = StartsWith(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
  const bool translated =
      StartsWith(address, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0});  // 64:ff9b::/96
  if (mapped || translated) return Check(Ipv4In(address, 12));
  const bool global = (address[0] & 0xe0) == 0x20;
  const bool documentation =
      StartsWith(address, {0x20, 0x01, 0x0d, 0xb8}) || StartsWith(address, {0x3f, 0xff});
  const bool protocols = StartsWith(address, {0x20, 0x01}) && address[2] < 2;  // Teredo among them
  const bool six_to_four = StartsWith(address, {0x20, 0x02});
  if (global && !documentation && !protocols && !six_to_four) return base::Status();
  return Refused(Format(address), "");
}

}  // namespace state
