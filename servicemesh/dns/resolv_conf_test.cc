#include "servicemesh/dns/resolv_conf.h"

#include <gtest/gtest.h>

#include <string>

namespace servicemesh {
namespace {

constexpr char kNode[] =
    "# written by hand\n"
    "domain old.example.com\n"
    "search corp.example.com example.com\n"
    "nameserver 192.0.2.53 # first\n"
    "nameserver 192.0.2.54\n"
    "options timeout:1 rotate\n";

std::string For(const std::string& pod_spec, const std::string& dns = "10.96.0.10") {
  const base::Result<base::Document> spec = base::Document::Parse(pod_spec);
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return ResolvConf(spec->root(), "shop", dns, "cluster.local", ParseResolverConfig(kNode));
}

constexpr char kCluster[] =
    "nameserver 10.96.0.10\n"
    "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example.com example.com\n"
    "options ndots:5\n";
constexpr char kDefault[] =
    "nameserver 192.0.2.53\nnameserver 192.0.2.54\n"
    "search corp.example.com example.com\n"
    "options timeout:1 rotate\n";

TEST(ResolvConfTest, PoliciesGiveTheClustersOrTheNodes) {
  EXPECT_EQ(For("{}"), kCluster);
  EXPECT_EQ(For(R"({"dnsPolicy":"ClusterFirst"})"), kCluster);
  EXPECT_EQ(For(R"({"dnsPolicy":"ClusterFirst","hostNetwork":true})"), kDefault);
  EXPECT_EQ(For(R"({"dnsPolicy":"ClusterFirstWithHostNet","hostNetwork":true})"), kCluster);
  EXPECT_EQ(For(R"({"dnsPolicy":"Default"})"), kDefault);
  EXPECT_EQ(For(R"({"dnsPolicy":"None"})"), "");
  EXPECT_EQ(For("{}", ""), kDefault);
}

TEST(ResolvConfTest, DnsConfigAddsAndOverridesOptions) {
  EXPECT_EQ(For(R"({"dnsConfig":{"nameservers":["192.0.2.99","10.96.0.10"],
                    "searches":["extra.example.com","cluster.local"],
                    "options":[{"name":"ndots","value":"2"},{"name":"edns0"}]}})"),
            "nameserver 10.96.0.10\nnameserver 192.0.2.99\n"
            "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example.com "
            "example.com extra.example.com\n"
            "options ndots:2 edns0\n");
  EXPECT_EQ(For(R"({"dnsPolicy":"None","dnsConfig":{"nameservers":["192.0.2.1"],
                    "searches":["a.b"]}})"),
            "nameserver 192.0.2.1\nsearch a.b\n");
}

TEST(ResolvConfTest, ValueCannotAddALineOfItsOwn) {
  EXPECT_EQ(For(R"({"dnsPolicy":"None","dnsConfig":{"nameservers":["192.0.2.1\nsearch evil"],
                    "options":[{"name":"a b","value":"1\n2"}]}})"),
            "nameserver 192.0.2.1\noptions a:1\n");
}

TEST(ResolvConfTest, WhatIsBeyondTheLimitsIsLeftOff) {
  EXPECT_EQ(For(R"({"dnsPolicy":"None","dnsConfig":{"nameservers":
                    ["192.0.2.1","192.0.2.2","192.0.2.3","192.0.2.4"]}})"),
            "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n");
  std::string searches;
  for (int i = 0; i < 40; ++i)
    searches += (i ? "," : "") + ("\"" + std::string(99, 'a') + std::to_string(10 + i) + "\"");
  const std::string text =
      For(R"({"dnsPolicy":"None","dnsConfig":{"searches":[)" + searches + "]}}");
  // 20 of 101 bytes and the spaces between them are 2,039.
  EXPECT_EQ(text.size(), std::string("search\n").size() + 20 * 102);
}

}  // namespace
}  // namespace servicemesh
