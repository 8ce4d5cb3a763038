// AddressGuard: which addresses an errand may go to. Whoever may ask for one must not reach
// through plumb what he cannot reach himself. Pure, immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/status.h"

namespace state {

class AddressGuard {
 public:
  // `allowed`: ranges that are opened although they would be refused.
  explicit AddressGuard(std::vector<base::Cidr> allowed = {}) : allowed_(std::move(allowed)) {}

  // kForbidden names the address and the flag that opens it.
  base::Status Check(uint32_t ipv4) const;
  // IPv4 addresses inside IPv6 ones are judged as what they are.
  base::Status Check(const std::array<uint8_t, 16>& ipv6) const;

 private:
  std::vector<base::Cidr> allowed_;
};

}  // namespace state
