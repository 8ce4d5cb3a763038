#include "servicemesh/dns/dns.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

constexpr char kMesh[] =
    "service default/db headless\n"
    "  tcp/5432=sql 10.88.1.2:5432@n1%db-0 10.88.2.2:5432@n2%db-1 10.88.2.3:5432@n2\n"
    "  udp/5432 10.88.1.2:5432@n1%db-0\n"
    "service default/empty headless\n"
    "  tcp/80=web 10.88.1.9:80!\n"
    "service default/loop external=loop.default.svc.cluster.local\n"
    "service default/out external=www.example.com.\n"
    "service default/over external=web.shop.svc.cluster.local\n"
    "service default/void external=nothing.default.svc.cluster.local\n"
    "service default/wait headless publish\n"
    "  tcp/80=web 10.88.1.9:80!%w\n"
    "service shop/web 10.96.0.1\n"
    "  tcp/80=http 10.88.1.2:80\n"
    "  tcp/443=HTTPS-alt 10.88.1.2:443\n"
    "  udp/99 10.88.1.2:99\n";

std::string Ask(const std::string& name, DnsType type = DnsType::kA, uint32_t turn = 0,
                const std::string& mesh = kMesh) {
  const DnsView view(std::make_shared<MeshInput>(MeshFromText(mesh, 42)));
  const DnsResolution got = Resolve(view, {name, type, 1}, turn);
  if (!got.ours) return "not ours";
  std::string text = got.answer.code == DnsCode::kNoError    ? ""
                     : got.answer.code == DnsCode::kNxDomain ? "NXDOMAIN "
                                                             : "code ";
  const auto add = [&](const char* title, const std::vector<DnsRecord>& records) {
    for (const DnsRecord& record : records) {
      text += std::string(title) + record.ToString() + "; ";
      EXPECT_EQ(record.ttl, kDnsTtl);
    }
  };
  add("", got.answer.answers);
  add("authority ", got.answer.authority);
  add("also ", got.answer.additional);
  if (!got.elsewhere.empty()) text += "then " + got.elsewhere;
  EXPECT_TRUE(got.answer.authoritative);
  return text;
}

constexpr char kSoa[] = "authority cluster.local SOA ns.dns.cluster.local 42; ";
const std::string kNothing = kSoa;                            // the name exists
const std::string kNoName = std::string("NXDOMAIN ") + kSoa;  // it does not

TEST(DnsTest, ServiceHasItsClusterIp) {
  EXPECT_EQ(Ask("web.shop.svc.cluster.local"), "web.shop.svc.cluster.local A 10.96.0.1; ");
}

TEST(DnsTest, CaseDoesNotMatterAndComesBackAsAsked) {
  EXPECT_EQ(Ask("WEB.Shop.svc.Cluster.LOCAL"), "WEB.Shop.svc.Cluster.LOCAL A 10.96.0.1; ");
}

TEST(DnsTest, NameThatExistsHasNothingOfOtherTypes) {
  for (const char* name :
       {"web.shop.svc.cluster.local", "db-0.db.default.svc.cluster.local",
        "_http._tcp.web.shop.svc.cluster.local", "_tcp.web.shop.svc.cluster.local",
        "shop.svc.cluster.local", "svc.cluster.local", "pod.cluster.local", "cluster.local",
        "dns-version.cluster.local", "10-88-1-2.any.pod.cluster.local"})
    EXPECT_EQ(Ask(name, DnsType::kAaaa), kNothing) << name;
}

TEST(DnsTest, NameThatDoesNotExistIsSaidNotTo) {
  for (const char* name :
       {"nothing.shop.svc.cluster.local", "web.nowhere.svc.cluster.local",
        "nowhere.svc.cluster.local", "x.web.shop.svc.cluster.local",
        "x.y.web.shop.svc.cluster.local", "google.com.shop.svc.cluster.local",
        "google.com.cluster.local", "db-9.db.default.svc.cluster.local",
        "_sql._udp.db.default.svc.cluster.local", "_none._tcp.web.shop.svc.cluster.local",
        "_udp.web.shop.svc.cluster.local", "_a._http._tcp.web.shop.svc.cluster.local",
        "1-2-3-4.shop.pod.cluster.local", "10-88-1.shop.pod.cluster.local",
        "x.10-88-1-2.shop.pod.cluster.local", "empty.default.svc.cluster.local",
        "_web._tcp.empty.default.svc.cluster.local", "x.out.default.svc.cluster.local"})
    EXPECT_EQ(Ask(name), kNoName) << name;
}

TEST(DnsTest, OtherNamesAreNotOurs) {
  for (const char* name : {"example.com", "", "local", "mycluster.local", "1.2.0.192.in-addr.arpa",
                           "10.in-addr.arpa", "xcluster.local"})
    EXPECT_EQ(Ask(name), "not ours") << name;
}

TEST(DnsTest, HeadlessServiceHasItsReadyEndpointsInTurn) {
  const std::string db = "db.default.svc.cluster.local";
  EXPECT_EQ(Ask(db), db + " A 10.88.1.2; " + db + " A 10.88.2.2; " + db + " A 10.88.2.3; ");
  EXPECT_EQ(Ask(db, DnsType::kA, 4),
            db + " A 10.88.2.2; " + db + " A 10.88.2.3; " + db + " A 10.88.1.2; ");
  EXPECT_EQ(Ask("db-1.db.default.svc.cluster.local"),
            "db-1.db.default.svc.cluster.local A 10.88.2.2; ");
  EXPECT_EQ(Ask("10-88-2-3.db.default.svc.cluster.local"),
            "10-88-2-3.db.default.svc.cluster.local A 10.88.2.3; ");
}

TEST(DnsTest, UnreadyEndpointsAreShownIfTheServiceSaysSo) {
  EXPECT_EQ(Ask("w.wait.default.svc.cluster.local"),
            "w.wait.default.svc.cluster.local A 10.88.1.9; ");
  EXPECT_EQ(Ask("9.1.88.10.in-addr.arpa", DnsType::kPtr),
            "9.1.88.10.in-addr.arpa PTR w.wait.default.svc.cluster.local; ");
}

TEST(DnsTest, NamedPortsHaveSrvRecords) {
  const std::string http = "_http._tcp.web.shop.svc.cluster.local";
  EXPECT_EQ(Ask(http, DnsType::kSrv), http +
                                          " SRV 0 100 80 web.shop.svc.cluster.local; "
                                          "also web.shop.svc.cluster.local A 10.96.0.1; ");
  const std::string alt = "_https-ALT._tcp.web.shop.svc.cluster.local";
  EXPECT_EQ(Ask(alt, DnsType::kSrv), alt +
                                         " SRV 0 100 443 web.shop.svc.cluster.local; "
                                         "also web.shop.svc.cluster.local A 10.96.0.1; ");
  const std::string sql = "_sql._tcp.db.default.svc.cluster.local";
  EXPECT_EQ(Ask(sql, DnsType::kSrv),
            sql + " SRV 0 100 5432 db-0.db.default.svc.cluster.local; " + sql +
                " SRV 0 100 5432 db-1.db.default.svc.cluster.local; " + sql +
                " SRV 0 100 5432 10-88-2-3.db.default.svc.cluster.local; "
                "also db-0.db.default.svc.cluster.local A 10.88.1.2; "
                "also db-1.db.default.svc.cluster.local A 10.88.2.2; "
                "also 10-88-2-3.db.default.svc.cluster.local A 10.88.2.3; ");
}

TEST(DnsTest, AddressesHaveTheirNames) {
  EXPECT_EQ(Ask("1.0.96.10.in-addr.arpa", DnsType::kPtr),
            "1.0.96.10.in-addr.arpa PTR web.shop.svc.cluster.local; ");
  EXPECT_EQ(Ask("2.1.88.10.IN-ADDR.arpa", DnsType::kPtr),
            "2.1.88.10.IN-ADDR.arpa PTR db-0.db.default.svc.cluster.local; ");
  EXPECT_EQ(Ask("1.0.96.10.in-addr.arpa", DnsType::kA),
            "authority 96.10.in-addr.arpa SOA ns.dns.cluster.local 42; ");
  EXPECT_EQ(Ask("9.9.88.10.in-addr.arpa", DnsType::kPtr),
            "NXDOMAIN authority 88.10.in-addr.arpa SOA ns.dns.cluster.local 42; ");
}

TEST(DnsTest, ExternalNameIsAnAliasFollowedAsFarAsItIsOurs) {
  EXPECT_EQ(Ask("out.default.svc.cluster.local"),
            "out.default.svc.cluster.local CNAME www.example.com; then www.example.com");
  EXPECT_EQ(Ask("out.default.svc.cluster.local", DnsType::kCname),
            "out.default.svc.cluster.local CNAME www.example.com; ");
  EXPECT_EQ(Ask("over.default.svc.cluster.local"),
            "over.default.svc.cluster.local CNAME web.shop.svc.cluster.local; "
            "web.shop.svc.cluster.local A 10.96.0.1; ");
  EXPECT_EQ(Ask("over.default.svc.cluster.local", DnsType::kAaaa),
            "over.default.svc.cluster.local CNAME web.shop.svc.cluster.local; " + kNothing);
  EXPECT_EQ(Ask("void.default.svc.cluster.local"),
            "NXDOMAIN void.default.svc.cluster.local CNAME nothing.default.svc.cluster.local; " +
                kNothing);
}

TEST(DnsTest, AliasOfItselfEnds) {
  const std::string answer = Ask("loop.default.svc.cluster.local");
  size_t count = 0;
  for (size_t at = 0; (at = answer.find("CNAME", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, static_cast<size_t>(kMaxDnsAliases) + 1);
}

TEST(DnsTest, ZoneTellsItsVersionAndItsSoa) {
  EXPECT_EQ(Ask("dns-version.cluster.local", DnsType::kTxt),
            "dns-version.cluster.local TXT 1.1.0; ");
  EXPECT_EQ(Ask("cluster.local", DnsType::kSoa), "cluster.local SOA ns.dns.cluster.local 42; ");
}

TEST(DnsTest, PodHasTheAddressThatItsNameSpells) {
  EXPECT_EQ(Ask("10-88-1-7.shop.pod.cluster.local"),
            "10-88-1-7.shop.pod.cluster.local A 10.88.1.7; ");
}

TEST(DnsTest, VeryLargeServiceShowsAPart) {
  MeshInput input = MeshFromText("service d/big headless\n tcp/80=web");
  for (uint32_t i = 0; i < 3000; ++i) {
    Endpoint endpoint;
    endpoint.ip = {0x0a580000 + i};
    endpoint.port = 80;
    input.services[0].addresses.push_back(endpoint);
    input.services[0].ports[0].endpoints.push_back(endpoint);
  }
  const DnsView view(std::make_shared<MeshInput>(input));
  EXPECT_EQ(Resolve(view, {"big.d.svc.cluster.local", DnsType::kA, 1}, 7).answer.answers.size(),
            kMaxDnsRecords);
  EXPECT_EQ(Resolve(view, {"_web._tcp.big.d.svc.cluster.local", DnsType::kSrv, 1}, 7)
                .answer.answers.size(),
            kMaxDnsRecords);
}

}  // namespace
}  // namespace servicemesh
