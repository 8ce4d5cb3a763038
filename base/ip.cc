#include "base/ip.h"

#include <charconv>

namespace base {

Result<uint32_t> ParseIpv4(std::string_view text) {
  const Status bad(Code::kInvalid,
                   "\"" + std::string(text) + "\" is no IPv4 address; write it like 10.0.0.1");
  uint32_t address = 0;
  std::string_view rest = text;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (rest.empty() || rest.front() != '.') return bad;
      rest.remove_prefix(1);
    }
    unsigned value = 256;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    const size_t length = static_cast<size_t>(end - rest.data());
    if (error != std::errc() || value > 255 || (length > 1 && rest.front() == '0')) return bad;
    rest.remove_prefix(length);
    address = address << 8 | value;
  }
  if (!rest.empty()) return bad;
  return address;
}

std::string FormatIpv4(uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 255);
    if (shift > 0) text += '.';
  }
  return text;
}

Result<Cidr> Cidr::Parse(std::string_view text) {
  const Status bad(Code::kInvalid,
                   "\"" + std::string(text) + "\" is no IPv4 range; write it like 10.0.0.0/8");
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad;
  const Result<uint32_t> first = ParseIpv4(text.substr(0, slash));
  int length = -1;
  const char* end = text.data() + text.size();
  if (!first.ok() || std::from_chars(text.data() + slash + 1, end, length).ptr != end ||
      length < 0 || length > 32) {
    return bad;
  }
  const Cidr cidr(*first, length);
  if ((*first & static_cast<uint32_t>(cidr.size() - 1)) != 0) {
    return Status(Code::kInvalid,
                  "\"" + std::string(text) + "\" has bits set beyond its prefix length");
  }
  return cidr;
}

std::string Cidr::ToString() const {
  return FormatIpv4(first_) + "/" + std::to_string(prefix_length_);
}

}  // namespace base
