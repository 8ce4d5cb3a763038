// IPv4 addresses and ranges as numbers in host order. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

Result<uint32_t> ParseIpv4(std::string_view text);  // dotted quad; kInvalid
std::string FormatIpv4(uint32_t address);

class Cidr {
 public:
  // "10.0.0.0/8"; host bits must be zero. kInvalid.
  static Result<Cidr> Parse(std::string_view text);
  Cidr(uint32_t first, int prefix_length) : first_(first), prefix_length_(prefix_length) {}

  uint32_t first() const { return first_; }
  int prefix_length() const { return prefix_length_; }
  uint64_t size() const { return uint64_t{1} << (32 - prefix_length_); }
  bool Contains(uint32_t address) const { return address - first_ < size(); }
  std::string ToString() const;

 private:
  uint32_t first_;
  int prefix_length_;
};

}  // namespace base
