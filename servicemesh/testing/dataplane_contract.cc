#include "servicemesh/testing/dataplane_contract.h"

#include <set>
#include <utility>

#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DataplaneContract);

namespace {

constexpr char kVip[] = "10.96.0.1";
constexpr char kNodeIp[] = "10.89.0.1";

// The endpoints at a and b on this node and c on another.
constexpr char kAbc[] = "10.88.1.2:8080@n1 10.88.1.3:8080@n1 10.88.2.2:8080@n2";

std::string Web(const std::string& port_and_endpoints, const std::string& options = "") {
  return "service default/web 10.96.0.1 " + options + "\n  " + port_and_endpoints + "\n";
}

}  // namespace

std::string NameOf(Host host) {
  switch (host) {
    case Host::kNode: return "node";
    case Host::kA: return "a";
    case Host::kB: return "b";
    case Host::kC: return "c";
    case Host::kClient: return "client";
  }
  return "";
}

std::string AddressOf(Host host) {
  switch (host) {
    case Host::kNode: return "10.89.0.1";
    case Host::kA: return "10.88.1.2";
    case Host::kB: return "10.88.1.3";
    case Host::kC: return "10.88.2.2";
    case Host::kClient: return "10.89.0.9";
  }
  return "";
}

std::string WorldName(const testing::TestParamInfo<WorldUnderTest>& info) {
  return info.param.name;
}

void DataplaneContract::SetUp() {
  world_ = GetParam().make();
  ASSERT_NE(world_, nullptr) << "the world could not be made";
}

base::Status DataplaneContract::Await(const std::function<void(Dataplane::Done)>& call) {
  base::Status result;
  world_->loop().Post([&] {
    call([&](base::Status status) {
      result = std::move(status);
      world_->Finish();
    });
  });
  world_->Run();
  return result;
}

base::Status DataplaneContract::Replace(const RuleSet& rules) {
  return Await([&](Dataplane::Done done) {
    world_->dataplane().Replace(std::make_shared<RuleSet>(rules), std::move(done));
  });
}

base::Status DataplaneContract::Apply(const RuleDelta& delta) {
  return Await([&](Dataplane::Done done) {
    world_->dataplane().Apply(std::make_shared<RuleDelta>(delta), std::move(done));
  });
}

base::Status DataplaneContract::Flush(const std::vector<ConntrackFlush>& stale) {
  return Await([&](Dataplane::Done done) { world_->dataplane().FlushUdp(stale, std::move(done)); });
}

void DataplaneContract::Program(const std::string& text, bool bridge_filtered) {
  MeshInput input = MeshFromText(text, ++revision_);
  input.bridge_filtered = bridge_filtered;
  before_ = std::move(programmed_);
  programmed_ = CompileRules(input);
  const base::Status status =
      revision_ == 1 ? Replace(programmed_) : Apply(Diff(before_, programmed_));
  ASSERT_EQ(status.ToString(), "OK");
}

std::string DataplaneContract::AskOften(Host from, const std::string& ip, uint16_t port,
                                        int times) {
  std::set<std::string> answers;
  // One silence tells enough, and takes its time.
  for (int i = 0; i < times && !answers.contains("silence"); ++i)
    answers.insert(world_->AskTcp(from, ip, port));
  std::string text;
  for (const std::string& answer : answers) text += (text.empty() ? "" : ", ") + answer;
  return text;
}

TEST_P(DataplaneContract, PodReachesEveryEndpointOfAClusterIp) {
  Program(Web(std::string("tcp/80 ") + kAbc));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "a masqueraded, b direct, c direct");
}

TEST_P(DataplaneContract, NodeReachesEveryEndpointOfAClusterIp) {
  Program(Web(std::string("tcp/80 ") + kAbc));
  EXPECT_EQ(AskOften(Host::kNode, kVip, 80), "a direct, b direct, c direct");
}

TEST_P(DataplaneContract, HostPortLeadsToThePodOfThisNode) {
  Program(
      "hostport default/a tcp/8080 10.88.1.2:8080\n"
      "hostport default/b tcp/8081 10.88.1.3:8080 10.89.0.1\n");
  EXPECT_EQ(AskOften(Host::kClient, kNodeIp, 8080), "a direct");
  EXPECT_EQ(AskOften(Host::kClient, kNodeIp, 8081), "b direct");
  EXPECT_EQ(AskOften(Host::kNode, kNodeIp, 8080), "a direct");
  EXPECT_EQ(AskOften(Host::kA, kNodeIp, 8080), "a masqueraded");
  Program("");
  EXPECT_NE(world_->AskTcp(Host::kClient, kNodeIp, 8080), "a direct");
}

TEST_P(DataplaneContract, SlotsBeyondAByteAreReached) {
  std::string endpoints;
  for (int i = 0; i < 256; ++i) endpoints += " 10.88.1.3:8080";
  for (int i = 0; i < 256; ++i) endpoints += " 10.88.2.2:8080";
  Program(Web("tcp/80" + endpoints));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "b direct, c direct");
}

TEST_P(DataplaneContract, OutsideClientReachesANodePortAndIsHiddenOnlyFromOtherNodes) {
  Program(Web(std::string("tcp/80@30080 ") + kAbc));
  EXPECT_EQ(AskOften(Host::kClient, kNodeIp, 30080), "a direct, b direct, c masqueraded");
}

TEST_P(DataplaneContract, NodeAndPodReachANodePort) {
  Program(Web(std::string("tcp/80@30080 ") + kAbc));
  EXPECT_EQ(AskOften(Host::kNode, kNodeIp, 30080), "a direct, b direct, c direct");
  EXPECT_EQ(AskOften(Host::kB, kNodeIp, 30080), "a direct, b masqueraded, c direct");
}

TEST_P(DataplaneContract, LocalPoliciesKeepToThisNode) {
  Program(Web(std::string("tcp/80@30080 ") + kAbc, "internal=local external=local"));
  EXPECT_EQ(AskOften(Host::kClient, kNodeIp, 30080), "a direct, b direct");
  EXPECT_EQ(AskOften(Host::kNode, kVip, 80), "a direct, b direct");
}

TEST_P(DataplaneContract, LocalNodePortWithEndpointsElsewhereIsSilent) {
  Program(Web("tcp/80@30080 10.88.2.2:8080@n2", "internal=local external=local"));
  EXPECT_TRUE(world_->IsSilent(Host::kClient, kNodeIp, 30080));
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 80), "refused");
}

TEST_P(DataplaneContract, PodReachesItselfThroughItsService) {
  Program(Web("tcp/80 10.88.1.2:8080@n1\n  udp/53 10.88.1.2:8080@n1"));
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 80), "a masqueraded");
  EXPECT_EQ(world_->AskUdp(Host::kA, 5001, kVip, 53), "a masqueraded");
}

TEST_P(DataplaneContract, OnlyUsableEndpointsGetConnections) {
  Program(Web("tcp/80 10.88.1.2:8080! 10.88.1.3:8080 10.88.2.2:8080~"));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "b direct");
  Program(Web("tcp/80 10.88.1.2:8080! 10.88.1.3:8080! 10.88.2.2:8080~"));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "c direct");
}

TEST_P(DataplaneContract, PortWithoutEndpointsIsRefused) {
  Program(Web("tcp/80@30080 10.88.1.2:8080!\n  udp/53@30053"));
  for (const Host from : {Host::kA, Host::kNode}) {
    SCOPED_TRACE(NameOf(from));
    EXPECT_EQ(world_->AskTcp(from, kVip, 80), "refused");
    EXPECT_EQ(world_->AskTcp(from, kNodeIp, 30080), "refused");
    EXPECT_EQ(world_->AskUdp(from, 5002, kVip, 53), "refused");
  }
  EXPECT_EQ(world_->AskTcp(Host::kClient, kNodeIp, 30080), "refused");
  EXPECT_EQ(world_->AskUdp(Host::kClient, 5002, kNodeIp, 30053), "refused");
}

TEST_P(DataplaneContract, PortsAndAddressesThatNoServiceHasAreRefused) {
  Program(Web(std::string("tcp/80 ") + kAbc));
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 81), "refused");
  EXPECT_EQ(world_->AskTcp(Host::kA, "10.96.77.1", 80), "refused");
  EXPECT_EQ(world_->AskUdp(Host::kNode, 5003, kVip, 80), "refused");
}

TEST_P(DataplaneContract, PodIsItselfInsideAndTheNodeOutside) {
  Program("");
  EXPECT_EQ(world_->AskTcp(Host::kA, AddressOf(Host::kC), kServerPort), "c direct");
  EXPECT_EQ(world_->AskTcp(Host::kA, AddressOf(Host::kB), kServerPort), "b direct");
  EXPECT_EQ(world_->AskTcp(Host::kA, AddressOf(Host::kClient), kServerPort), "client masqueraded");
}

TEST_P(DataplaneContract, WithoutBridgeFilteringPodsOfOneBridgeAreHiddenFromEachOther) {
  Program(Web(std::string("tcp/80 ") + kAbc), /*bridge_filtered=*/false);
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "a masqueraded, b masqueraded, c direct");
  Program(Web(std::string("tcp/80 ") + kAbc), /*bridge_filtered=*/true);
  EXPECT_EQ(AskOften(Host::kA, kVip, 80), "a masqueraded, b direct, c direct");
}

TEST_P(DataplaneContract, OpenConnectionOutlivesItsEndpointsPlaceInTheRules) {
  Program(Web("tcp/80 10.88.1.3:8080"));
  const int connection = world_->OpenTcp(Host::kA, kVip, 80);
  EXPECT_EQ(world_->AskOpen(connection), "b direct");
  Program(Web("tcp/80 10.88.2.2:8080"));
  EXPECT_EQ(world_->AskOpen(connection), "b direct");
  EXPECT_EQ(AskOften(Host::kA, kVip, 80, 10), "c direct");
  Program(Web("tcp/80"));
  EXPECT_EQ(world_->AskOpen(connection), "b direct");
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 80), "refused");
  Program("");
  EXPECT_EQ(world_->AskOpen(connection), "b direct");
}

TEST_P(DataplaneContract, UdpFollowsItsEndpointsOnceStaleEntriesAreFlushed) {
  Program(Web("udp/53@30053 10.88.1.3:8080"));
  EXPECT_EQ(world_->AskUdp(Host::kA, 5004, kVip, 53), "b direct");
  EXPECT_EQ(world_->AskUdp(Host::kClient, 5004, kNodeIp, 30053), "b direct");
  Program(Web("udp/53@30053 10.88.2.2:8080"));
  EXPECT_EQ(world_->AskUdp(Host::kA, 5004, kVip, 53), "b direct");
  ASSERT_EQ(Flush(StaleUdp(before_, programmed_)).ToString(), "OK");
  EXPECT_EQ(world_->AskUdp(Host::kA, 5004, kVip, 53), "c direct");
  EXPECT_EQ(world_->AskUdp(Host::kClient, 5004, kNodeIp, 30053), "c masqueraded");
}

TEST_P(DataplaneContract, FlushKeepsUdpThatStillHasItsEndpoint) {
  const std::string other = "\n  udp/54 10.88.1.3:8080";
  Program(Web("udp/53 10.88.1.3:8080" + other));
  EXPECT_EQ(world_->AskUdp(Host::kA, 5005, kVip, 53), "b direct");
  EXPECT_EQ(world_->AskUdp(Host::kA, 5005, kVip, 54), "b direct");
  Program(Web("udp/53 10.88.1.3:8080 10.88.2.2:8080" + other));
  Program(Web("udp/53 10.88.1.3:8080" + other));
  const std::vector<ConntrackFlush> stale = StaleUdp(before_, programmed_);
  ASSERT_EQ(stale.size(), 1u);
  // Whatever the flush forgot would now be answered by c.
  Program(Web("udp/53 10.88.2.2:8080\n  udp/54 10.88.2.2:8080"));
  ASSERT_EQ(Flush(stale).ToString(), "OK");
  EXPECT_EQ(world_->AskUdp(Host::kA, 5005, kVip, 53), "b direct");
  EXPECT_EQ(world_->AskUdp(Host::kA, 5005, kVip, 54), "b direct");
}

TEST_P(DataplaneContract, AffinityHoldsAClientToItsEndpoint) {
  Program(Web(std::string("tcp/80@30080 ") + kAbc, "affinity=600"));
  for (const Host from : {Host::kA, Host::kB, Host::kNode}) {
    SCOPED_TRACE(NameOf(from));
    const std::string first = world_->AskTcp(from, kVip, 80);
    EXPECT_EQ(AskOften(from, kVip, 80, 20), first);
  }
  const std::string first = world_->AskTcp(Host::kClient, kNodeIp, 30080);
  EXPECT_EQ(AskOften(Host::kClient, kNodeIp, 30080, 20), first);
}

TEST_P(DataplaneContract, AffinityMovesOnlyTheClientsOfAnEndpointThatWent) {
  Program(Web("tcp/80 10.88.1.3:8080", "affinity=600"));
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 80), "b direct");
  Program(Web("tcp/80 10.88.2.2:8080", "affinity=600"));
  EXPECT_EQ(world_->AskTcp(Host::kNode, kVip, 80), "c direct");
  EXPECT_EQ(world_->AskTcp(Host::kA, kVip, 80), "c direct");
  Program(Web("tcp/80 10.88.1.3:8080 10.88.2.2:8080", "affinity=600"));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80, 20), "c direct");
  EXPECT_EQ(AskOften(Host::kNode, kVip, 80, 20), "c direct");
  Program(Web("tcp/80 10.88.1.3:8080", "affinity=600"));
  EXPECT_EQ(AskOften(Host::kA, kVip, 80, 5), "b direct");
}

TEST_P(DataplaneContract, EveryKindOfChangeLandsByDelta) {
  Program(Web(std::string("tcp/80@30080 ") + kAbc, "affinity=600"));
  Program(Web(std::string("tcp/80@30080 ") + kAbc));
  EXPECT_EQ(AskOften(Host::kNode, kVip, 80), "a direct, b direct, c direct");
  Program(Web("tcp/81@30081 10.88.1.3:8080", "affinity=10"));
  EXPECT_EQ(world_->AskTcp(Host::kNode, kVip, 80), "refused");
  EXPECT_EQ(world_->AskTcp(Host::kNode, kVip, 81), "b direct");
  EXPECT_EQ(world_->AskTcp(Host::kClient, kNodeIp, 30081), "b direct");
  Program("service other/db 10.96.0.2\n tcp/80 10.88.1.3:8080\n" +
          Web("tcp/81@30081 10.88.1.3:8080 10.88.2.2:8080", "affinity=20"));
  EXPECT_EQ(world_->AskTcp(Host::kNode, "10.96.0.2", 80), "b direct");
  Program("");
  EXPECT_EQ(world_->AskTcp(Host::kNode, kVip, 81), "refused");
  EXPECT_EQ(world_->AskTcp(Host::kNode, "10.96.0.2", 80), "refused");
}

TEST_P(DataplaneContract, ReplaceTakesTheRulesWhateverWasThere) {
  Program(Web(std::string("tcp/80 ") + kAbc, "affinity=600"));
  const RuleSet other = CompileRules(MeshFromText(Web("tcp/80 10.88.2.2:8080"), 9));
  ASSERT_EQ(Replace(other).ToString(), "OK");
  ASSERT_EQ(Replace(other).ToString(), "OK");
  EXPECT_EQ(AskOften(Host::kA, kVip, 80, 10), "c direct");
}

TEST_P(DataplaneContract, DeltaThatDoesNotFitChangesNothing) {
  Program(Web("tcp/80 10.88.1.3:8080"));
  const RuleSet elsewhere = CompileRules(MeshFromText(Web("tcp/99 10.88.1.3:8080")));
  const RuleSet wanted = CompileRules(MeshFromText(Web("tcp/80 10.88.2.2:8080")));
  const RuleDelta misfit = Diff(elsewhere, wanted);
  EXPECT_FALSE(Apply(misfit).ok());
  EXPECT_EQ(AskOften(Host::kA, kVip, 80, 10), "b direct");
}

}  // namespace servicemesh
