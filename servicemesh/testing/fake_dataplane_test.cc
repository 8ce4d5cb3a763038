#include "servicemesh/testing/fake_dataplane.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "base/testing/sim_loop.h"
#include "servicemesh/testing/dataplane_contract.h"
#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

Ipv4 Ip(const std::string& text) { return *Ipv4::Parse(text); }

// The hosts of the contract as answers of FakeDataplane::Lookup.
class FakeWorld final : public MeshWorld {
 public:
  base::Loop& loop() override { return loop_; }
  Dataplane& dataplane() override { return dataplane_; }
  void Run() override {
    ASSERT_TRUE(loop_.RunUntil([this] { return finished_; }, base::Duration::Minutes(1)));
    finished_ = false;
  }
  void Finish() override { finished_ = true; }

  std::string AskTcp(Host from, const std::string& ip, uint16_t port) override {
    return Answer(
        dataplane_.Lookup(Ip(AddressOf(from)), Ip(ip), Protocol::kTcp, port, rng_.Next()));
  }
  bool IsSilent(Host from, const std::string& ip, uint16_t port) override {
    return AskTcp(from, ip, port) == "silence";
  }
  int OpenTcp(Host from, const std::string& ip, uint16_t port) override {
    open_.push_back(AskTcp(from, ip, port));
    return static_cast<int>(open_.size()) - 1;
  }
  std::string AskOpen(int connection) override { return open_[connection]; }
  std::string AskUdp(Host from, uint16_t from_port, const std::string& ip, uint16_t port) override {
    return Answer(dataplane_.SendUdp(Ip(AddressOf(from)), from_port, Ip(ip), port, rng_.Next()));
  }

 private:
  static std::string Answer(const FakeDataplane::Route& route) {
    using Kind = FakeDataplane::Route::Kind;
    if (route.kind == Kind::kRefused) return "refused";
    if (route.kind == Kind::kDropped) return "silence";
    for (const Host host : kHosts) {
      if (Ip(AddressOf(host)) == route.target.ip)
        return NameOf(host) + (route.masqueraded ? " masqueraded" : " direct");
    }
    return "silence";
  }

  base::SimLoop loop_{11};
  base::Rng rng_{12};
  FakeDataplane dataplane_{loop_};
  bool finished_ = false;
  std::vector<std::string> open_;
};

std::unique_ptr<MeshWorld> MakeFakeWorld() { return std::make_unique<FakeWorld>(); }

INSTANTIATE_TEST_SUITE_P(Dataplanes, DataplaneContract,
                         testing::Values(WorldUnderTest{"Fake", &MakeFakeWorld}), WorldName);

class FakeDataplaneTest : public testing::Test {
 protected:
  std::string Replace(const std::string& text) {
    std::string result = "pending";
    dataplane_.Replace(std::make_shared<RuleSet>(CompileRules(MeshFromText(text))),
                       [&](base::Status status) { result = status.ToString(); });
    loop_.RunFor(base::Duration::Seconds(1));
    return result;
  }
  std::string Ask(const std::string& from, uint64_t random) {
    return dataplane_.Lookup(Ip(from), Ip("10.96.0.1"), Protocol::kTcp, 80, random)
        .target.ip.ToString();
  }

  base::SimLoop loop_{1};
  base::Faults faults_{2};
  FakeDataplane dataplane_{loop_, &faults_};
};

TEST_F(FakeDataplaneTest, AffinityEndsWhenTheClientStaysAwayForItsTimeout) {
  ASSERT_EQ(Replace("service d/web 10.96.0.1 affinity=60\n tcp/80 10.88.1.2:80 10.88.1.3:80"),
            "OK");
  const std::string first = Ask("10.88.1.9", 0);
  const std::string other = first == "10.88.1.2" ? "10.88.1.3" : "10.88.1.2";
  loop_.RunFor(base::Duration::Seconds(50));
  EXPECT_EQ(Ask("10.88.1.9", 1), first);
  loop_.RunFor(base::Duration::Seconds(50));
  EXPECT_EQ(Ask("10.88.1.9", 1), first);
  loop_.RunFor(base::Duration::Seconds(61));
  EXPECT_EQ(Ask("10.88.1.9", 1), other);
}

TEST_F(FakeDataplaneTest, FaultLeavesWhatWasProgrammed) {
  ASSERT_EQ(Replace("service d/web 10.96.0.1\n tcp/80 10.88.1.2:80"), "OK");
  faults_.SetOnce("dataplane.replace");
  EXPECT_EQ(Replace("service d/web 10.96.0.1\n tcp/80 10.88.1.3:80").substr(0, 12), "ServiceUnava");
  EXPECT_EQ(Ask("10.88.1.9", 0), "10.88.1.2");
}

TEST_F(FakeDataplaneTest, ChainThatIsStillLedToCannotBeDeleted) {
  const RuleSet rules = CompileRules(MeshFromText("service d/w 10.96.0.1\n tcp/80 10.88.1.2:80"));
  ASSERT_EQ(Replace("service d/w 10.96.0.1\n tcp/80 10.88.1.2:80"), "OK");
  auto delta = std::make_shared<RuleDelta>();
  delta->delete_chains = rules.chains;
  std::string result;
  dataplane_.Apply(delta, [&](base::Status status) { result = status.message(); });
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(result,
            "the rules do not fit those of the kernel: element 10.96.0.1 . tcp . 80 leads to the "
            "missing chain pick-tcp-1");
}

}  // namespace
}  // namespace servicemesh
