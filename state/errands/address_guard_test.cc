#include "state/errands/address_guard.h"

#include <gtest/gtest.h>

#include <sstream>

namespace state {
namespace {

std::string Judge(const AddressGuard& guard, const std::string& addresses) {
  std::string text;
  std::istringstream words(addresses);
  for (std::string word; words >> word;) {
    text += word + (guard.Check(*base::ParseIpv4(word)).ok() ? " yes\n" : " no\n");
  }
  return text;
}

// Eight groups of four digits.
std::array<uint8_t, 16> Ipv6(const std::string& groups) {
  std::array<uint8_t, 16> bytes{};
  std::string digits;
  for (const char c : groups) digits += c == ':' ? "" : std::string(1, c);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

TEST(AddressGuardTest, OnlyPublicAddressesAreOpen) {
  EXPECT_EQ(Judge(AddressGuard(),
                  "0.0.0.0 9.255.255.255 10.0.0.0 10.255.255.255 11.0.0.0 100.63.255.255 "
                  "100.64.0.1 127.0.0.1 127.255.255.255 128.0.0.1 169.254.169.254 172.15.0.1 "
                  "172.16.0.1 172.31.255.255 172.32.0.1 192.168.1.1 198.19.0.1 198.20.0.1 "
                  "223.255.255.255 224.0.0.1 255.255.255.255"),
            "0.0.0.0 no\n9.255.255.255 yes\n10.0.0.0 no\n10.255.255.255 no\n11.0.0.0 yes\n"
            "100.63.255.255 yes\n100.64.0.1 no\n127.0.0.1 no\n127.255.255.255 no\n128.0.0.1 yes\n"
            "169.254.169.254 no\n172.15.0.1 yes\n172.16.0.1 no\n172.31.255.255 no\n"
            "172.32.0.1 yes\n192.168.1.1 no\n198.19.0.1 no\n198.20.0.1 yes\n"
            "223.255.255.255 yes\n224.0.0.1 no\n255.255.255.255 no\n");
}

TEST(AddressGuardTest, ARangeCanBeOpened) {
  const AddressGuard guard({*base::Cidr::Parse("10.77.0.0/16")});
  EXPECT_EQ(Judge(guard, "10.77.0.11 10.78.0.1 127.0.0.1"),
            "10.77.0.11 yes\n10.78.0.1 no\n127.0.0.1 no\n");
  EXPECT_EQ(guard.Check(0x7f000001).message(),
            "no call goes to the internal address 127.0.0.1; plumb server --webhook-allow "
            "CIDR opens a range of them");
}

TEST(AddressGuardTest, OfIpv6OnlyGlobalUnicastIsOpen) {
  const AddressGuard guard;
  const auto open = [&](const std::string& groups) { return guard.Check(Ipv6(groups)).ok(); };
  EXPECT_TRUE(open("2606:4700:0000:0000:0000:0000:0000:1111"));
  for (const char* closed :
       {"0000:0000:0000:0000:0000:0000:0000:0001", "0000:0000:0000:0000:0000:0000:0000:0000",
        "fe80:0000:0000:0000:0000:0000:0000:0001", "fd00:0ec2:0000:0000:0000:0000:0000:0254",
        "ff02:0000:0000:0000:0000:0000:0000:0001", "2001:0db8:0000:0000:0000:0000:0000:0001",
        "2002:7f00:0001:0000:0000:0000:0000:0001", "2001:0000:0000:0000:0000:0000:0000:0001"}) {
    EXPECT_FALSE(open(closed)) << closed;
  }
}

TEST(AddressGuardTest, AnIpv4AddressInsideAnIpv6OneIsJudgedAsItIs) {
  const AddressGuard guard;
  EXPECT_FALSE(guard.Check(Ipv6("0000:0000:0000:0000:0000:ffff:7f00:0001")).ok());
  EXPECT_TRUE(guard.Check(Ipv6("0000:0000:0000:0000:0000:ffff:0808:0808")).ok());
  EXPECT_FALSE(guard.Check(Ipv6("0064:ff9b:0000:0000:0000:0000:a9fe:a9fe")).ok());
}

}  // namespace
}  // namespace state
