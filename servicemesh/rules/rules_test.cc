#include "servicemesh/rules/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/testing/sim_loop.h"
#include "servicemesh/testing/fake_dataplane.h"
#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

RuleSet Compile(const std::string& text, uint64_t revision = 1) {
  return CompileRules(MeshFromText(text, revision));
}

// The lines of the full script that are not the same for all nodes.
std::string Varying(const std::string& text) {
  const std::string none = ToNft(Compile(""));
  std::string all = ToNft(Compile(text));
  const size_t common = none.rfind("add element");  // that of the node's address
  return all.substr(common);
}

TEST(RulesTest, PortIsAVerdictAndItsEndpointsAreSlots) {
  EXPECT_EQ(Varying("service d/web 10.96.0.1\n tcp/80 10.88.1.2:8080 10.88.2.2:8081"),
            "add chain ip plumb pick-tcp-2\n"
            "add rule ip plumb pick-tcp-2 dnat ip addr . port to ip daddr . tcp dport . numgen "
            "random mod 2 map @endpoints_tcp\n"
            "add rule ip plumb pick-tcp-2 dnat ip addr . port to ip daddr . tcp dport . numgen "
            "random mod 1 map @endpoints_tcp\n"
            "add rule ip plumb pick-tcp-2 drop\n"
            "add element ip plumb endpoints_tcp { 10.96.0.1 . 80 . 0 : 10.88.1.2 . 8080, "
            "10.96.0.1 . 80 . 1 : 10.88.2.2 . 8081 }\n"
            "add element ip plumb hairpin { 10.88.1.2 . 10.88.1.2 }\n"
            "add element ip plumb node_ips { 10.89.0.1 }\n"
            "add element ip plumb services { 10.96.0.1 . tcp . 80 : goto pick-tcp-2 }\n");
}

TEST(RulesTest, HostPortIsANodePortWithOneEndpoint) {
  EXPECT_EQ(Varying("hostport d/web tcp/8080 10.88.1.2:80\nhostport d/dns udp/53 10.88.1.3:53 "
                    "10.89.0.1\n"),
            "add chain ip plumb pick-udp-1\n"
            "add rule ip plumb pick-udp-1 dnat ip addr . port to ip daddr . udp dport . numgen "
            "random mod 1 map @endpoints_udp\n"
            "add rule ip plumb pick-udp-1 drop\n"
            "add chain ip plumb node-pick-tcp-1\n"
            "add rule ip plumb node-pick-tcp-1 dnat ip addr . port to tcp dport . numgen random "
            "mod 1 map @node_port_endpoints_tcp\n"
            "add rule ip plumb node-pick-tcp-1 drop\n"
            "add element ip plumb endpoints_udp { 10.89.0.1 . 53 . 0 : 10.88.1.3 . 53 }\n"
            "add element ip plumb hairpin { 10.88.1.2 . 10.88.1.2, 10.88.1.3 . 10.88.1.3 }\n"
            "add element ip plumb node_ips { 10.89.0.1 }\n"
            "add element ip plumb node_port_endpoints_tcp { 8080 . 0 : 10.88.1.2 . 80 }\n"
            "add element ip plumb node_ports { tcp . 8080 : goto node-pick-tcp-1 }\n"
            "add element ip plumb services { 10.89.0.1 . udp . 53 : goto pick-udp-1 }\n");
}

TEST(RulesTest, HostPortThatCannotBeHadIsNamed) {
  const RuleSet rules = Compile(
      "service d/web 10.96.0.1\n tcp/80@30080 10.88.1.2:8080\n"
      "hostport d/a tcp/30080 10.88.1.2:80\nhostport d/b tcp/80 10.88.1.2:80 127.0.0.1\n");
  ASSERT_EQ(rules.left_out.size(), 2u);
  EXPECT_EQ(rules.left_out[0],
            "pod d/a host port 30080: tcp . 30080 belongs to a service or another pod");
  EXPECT_EQ(rules.left_out[1], "pod d/b host port 80: 127.0.0.1 is not the node's address");
}

TEST(RulesTest, OneEndpointLessIsAFewElementsWhateverElseThereIs) {
  std::string others;
  for (int i = 0; i < 50; ++i)
    others += "service d/o" + std::to_string(i) + " 10.96.1." + std::to_string(i) +
              "\n tcp/80 10.88.1.2:80 10.88.1.3:80\n udp/53 10.88.1.2:53\n";
  const std::string web = "service d/web 10.96.0.1\n tcp/80 10.88.1.2:8080 ";
  const RuleDelta delta =
      Diff(Compile(others + web + "10.88.2.2:8080", 1), Compile(others + web, 2));
  EXPECT_EQ(ToNft(delta),
            "add chain ip plumb pick-tcp-1\n"
            "add rule ip plumb pick-tcp-1 dnat ip addr . port to ip daddr . tcp dport . numgen "
            "random mod 1 map @endpoints_tcp\n"
            "add rule ip plumb pick-tcp-1 drop\n"
            "delete element ip plumb endpoints_tcp { 10.96.0.1 . 80 . 1 }\n"
            "delete element ip plumb services { 10.96.0.1 . tcp . 80 }\n"
            "add element ip plumb services { 10.96.0.1 . tcp . 80 : goto pick-tcp-1 }\n");
}

TEST(RulesTest, SameInputIsNoDelta) {
  const std::string text =
      "service d/web 10.96.0.1 affinity=60\n tcp/80@30080 10.88.1.2:80 10.88.2.2:80\n"
      "service d/x 10.96.0.2\n udp/53 10.88.1.2:53";
  EXPECT_TRUE(Diff(Compile(text, 1), Compile(text, 2)).empty());
  EXPECT_EQ(ToNft(Diff(Compile(text, 1), Compile(text, 2))), "");
}

TEST(RulesTest, ChangedRangeRewritesTheFixedChainsOnly) {
  MeshInput input = MeshFromText("service d/web 10.96.0.1\n tcp/80 10.88.1.2:80");
  const RuleSet before = CompileRules(input);
  input.service_cidr = *base::Cidr::Parse("10.97.0.0/16");
  const std::string script = ToNft(Diff(before, CompileRules(input)));
  EXPECT_EQ(script.substr(0, script.find("add")),
            "flush chain ip plumb dispatch\nflush chain ip plumb hide\n"
            "flush chain ip plumb undelivered\n");
  EXPECT_EQ(script.find("element"), std::string::npos);
}

TEST(RulesTest, FirstServiceKeepsAnAddressThatTwoClaim) {
  const RuleSet rules = Compile(
      "service a/one 10.96.0.1\n tcp/80 10.88.1.2:80\n"
      "service b/two 10.96.0.1\n tcp/80 10.88.1.3:80 10.88.1.4:80");
  EXPECT_EQ(rules.left_out, std::vector<std::string>{
                                "service b/two port 80: 10.96.0.1 . tcp . 80 belongs to another "
                                "service"});
  EXPECT_EQ(ToNft(rules).find("10.88.1.3"), std::string::npos);
}

TEST(RulesTest, EndpointsBeyondTheLimitAreLeftOutAndSaid) {
  MeshInput input = MeshFromText("service d/web 10.96.0.1\n tcp/80");
  for (uint32_t i = 0; i <= kMaxEndpointsPerPort; ++i) {
    Endpoint endpoint;
    endpoint.ip = {0x0a580000 + i};
    endpoint.port = 80;
    input.services[0].ports[0].endpoints.push_back(endpoint);
  }
  const RuleSet rules = CompileRules(input);
  ASSERT_EQ(rules.chains.size(), 1u);
  EXPECT_EQ(rules.chains[0].ref.ToString(), "pick-tcp-10000");
  EXPECT_EQ(rules.left_out,
            std::vector<std::string>{"service d/web port 80: only 10000 endpoints get traffic"});
}

std::string Tell(const std::vector<ConntrackFlush>& stale) {
  std::string text;
  for (const ConntrackFlush& flush : stale) {
    text += flush.at.ToString() + " keeps";
    for (const Target& target : flush.keep)
      text += " " + target.ip.ToString() + ":" + std::to_string(target.port);
    text += "\n";
  }
  return text;
}

TEST(RulesTest, StaleUdpIsWhereAnEndpointWentOrAPortIsNew) {
  const std::string tcp = "service d/tcp 10.96.0.9\n tcp/80 10.88.1.9:80\n";
  const RuleSet before = Compile(
      "service d/gone 10.96.0.1\n udp/53 10.88.1.2:53\n"
      "service d/grown 10.96.0.2\n udp/53 10.88.1.2:53\n"
      "service d/moved 10.96.0.3 affinity=60\n udp/53@30053 10.88.1.2:53\n"
      "service d/same 10.96.0.4\n udp/53 10.88.1.2:53\n" +
      tcp);
  const RuleSet after = Compile(
      "service d/empty 10.96.0.6\n udp/53\n"
      "service d/grown 10.96.0.2\n udp/53 10.88.1.2:53 10.88.1.3:53\n"
      "service d/moved 10.96.0.3 affinity=60\n udp/53@30053 10.88.1.3:53\n"
      "service d/new 10.96.0.5\n udp/53 10.88.1.3:53\n"
      "service d/same 10.96.0.4\n udp/53 10.88.1.2:53\n");
  EXPECT_EQ(Tell(StaleUdp(before, after)),
            "udp . 30053 keeps 10.88.1.3:53\n"
            "10.96.0.1 . udp . 53 keeps\n"
            "10.96.0.3 . udp . 53 keeps 10.88.1.3:53\n"
            "10.96.0.5 . udp . 53 keeps 10.88.1.3:53\n");
}

// Random services, of few names so that they collide often.
std::string RandomMesh(base::Rng& rng) {
  std::string text;
  for (int i = 0; i < 6; ++i) {
    if (rng.Chance(1, 4)) continue;
    text += "service d/s" + std::to_string(i) + " 10.96.0." + std::to_string(i + 1);
    if (rng.Chance(1, 3)) text += " affinity=" + std::to_string(rng.Below(2) * 50 + 10);
    if (rng.Chance(1, 5)) text += " internal=local";
    if (rng.Chance(1, 5)) text += " external=local";
    text += "\n";
    for (const char* port : {"tcp/80", "udp/53"}) {
      if (rng.Chance(1, 4)) continue;
      text += std::string(" ") + port;
      if (rng.Chance(1, 2)) text += "@" + std::to_string(30'000 + i);
      for (int e = 2; e < 7; ++e) {
        if (rng.Chance(1, 2)) continue;
        text += " 10.88.1." + std::to_string(e) + ":" + std::to_string(80 + rng.Below(2)) + "@n" +
                std::to_string(1 + e % 2);
        if (rng.Chance(1, 5)) text += rng.Chance(1, 2) ? "!" : "~";
      }
      text += "\n";
    }
  }
  return text;
}

// Any delta fits what it was made from, and leads to what a full program would be.
TEST(RulesTest, DeltasOfManyRandomChangesEqualFullPrograms) {
  base::Rng rng(20'26);
  base::SimLoop loop(1);
  FakeDataplane dataplane(loop);
  RuleSet programmed = Compile("", 1);
  const auto ok = [](base::Status status) { EXPECT_EQ(status.ToString(), "OK"); };
  dataplane.Replace(std::make_shared<RuleSet>(programmed), ok);
  loop.RunFor(base::Duration::Seconds(1));
  for (uint64_t revision = 2; revision < 500; ++revision) {
    const std::string text = RandomMesh(rng);
    SCOPED_TRACE(text);
    const RuleSet wanted = Compile(text, revision);
    dataplane.Apply(std::make_shared<RuleDelta>(Diff(programmed, wanted)), ok);
    loop.RunFor(base::Duration::Seconds(1));
    const RuleSet now = dataplane.Programmed();
    ASSERT_EQ(now.chains, wanted.chains);
    ASSERT_EQ(now.elements, wanted.elements);
    ASSERT_EQ(now.revision, revision);
    programmed = wanted;
  }
}

// No packet goes to an endpoint that is not usable.
TEST(RulesTest, OnlyUsableEndpointsAreEverReached) {
  base::Rng rng(77);
  base::SimLoop loop(1);
  FakeDataplane dataplane(loop);
  int reached = 0;
  for (int round = 0; round < 200; ++round) {
    const MeshInput input = MeshFromText(RandomMesh(rng));
    dataplane.Replace(std::make_shared<RuleSet>(CompileRules(input)),
                      [](base::Status status) { EXPECT_TRUE(status.ok()); });
    loop.RunFor(base::Duration::Seconds(1));
    for (const Service& service : input.services) {
      for (const ServicePort& port : service.ports) {
        const auto usable = UsableEndpoints(
            port.endpoints, false,
            service.spec.internal_traffic_policy == TrafficPolicy::kLocal ? "n1" : "");
        const auto route = dataplane.Lookup(*Ipv4::Parse("10.88.1.2"), service.spec.cluster_ips[0],
                                            port.protocol, port.port, rng.Next());
        using Kind = FakeDataplane::Route::Kind;
        ASSERT_EQ(route.kind, usable.empty() ? Kind::kRefused : Kind::kEndpoint);
        if (usable.empty()) continue;
        ++reached;
        EXPECT_TRUE(std::any_of(usable.begin(), usable.end(), [&](const Endpoint* e) {
          return Target{e->ip, e->port} == route.target;
        }));
      }
    }
  }
  EXPECT_GT(reached, 500);
}

}  // namespace
}  // namespace servicemesh
