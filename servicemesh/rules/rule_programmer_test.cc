#include "servicemesh/rules/rule_programmer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/faults.h"
#include "base/testing/sim_loop.h"
#include "servicemesh/testing/fake_dataplane.h"
#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

class RuleProgrammerTest : public testing::Test {
 protected:
  void SetUp() override {
    programmer_.OnProgrammed(
        [this](uint64_t revision) { said_ += std::to_string(revision) + " "; });
  }
  void Want(const std::string& endpoint, uint64_t revision, const std::string& port = "tcp/80") {
    programmer_.Want(std::make_shared<RuleSet>(CompileRules(
        MeshFromText("service d/web 10.96.0.1\n " + port + " " + endpoint, revision))));
  }
  std::string Reached() {
    return dataplane_.Lookup({1}, *Ipv4::Parse("10.96.0.1"), Protocol::kTcp, 80, 0)
        .target.ip.ToString();
  }

  base::SimLoop loop_{3};
  base::Faults faults_{4};
  FakeDataplane dataplane_{loop_, &faults_};
  RuleProgrammer programmer_{loop_, dataplane_};
  std::string said_;
};

TEST_F(RuleProgrammerTest, RevisionCountsOnceItIsInTheKernel) {
  Want("10.88.1.2:80", 5);
  EXPECT_EQ(programmer_.programmed_revision(), 0u);
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(programmer_.programmed_revision(), 5u);
  EXPECT_EQ(Reached(), "10.88.1.2");
}

TEST_F(RuleProgrammerTest, OfManyWantedMeanwhileOnlyTheLastIsProgrammed) {
  Want("10.88.1.2:80", 5);
  Want("10.88.1.3:80", 6);
  Want("10.88.1.4:80", 7);
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(said_, "5 7 ");
  EXPECT_EQ(Reached(), "10.88.1.4");
}

TEST_F(RuleProgrammerTest, RememberedRulesAreProgrammedOnlyIfNoOthersCome) {
  const auto remembered = [](const std::string& endpoint, uint64_t revision) {
    return std::make_shared<RuleSet>(
        CompileRules(MeshFromText("service d/web 10.96.0.1\n tcp/80 " + endpoint, revision)));
  };
  programmer_.Remember(remembered("10.88.1.2:80", 5));
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(said_, "") << "the kernel may have newer ones";
  Want("10.88.1.3:80", 6);
  loop_.RunFor(base::Duration::Minutes(1));
  EXPECT_EQ(said_, "6 ");

  RuleProgrammer alone(loop_, dataplane_);
  alone.Remember(remembered("10.88.1.4:80", 7));
  loop_.RunFor(kRememberedWait + base::Duration::Seconds(1));
  EXPECT_EQ(alone.programmed_revision(), 7u);
  EXPECT_EQ(Reached(), "10.88.1.4");
}

TEST_F(RuleProgrammerTest, RevisionWithoutChangeCountsWithoutTheKernel) {
  Want("10.88.1.2:80", 5);
  loop_.RunFor(base::Duration::Seconds(1));
  faults_.Set("dataplane.apply", 1);
  faults_.Set("dataplane.replace", 1);
  Want("10.88.1.2:80", 6);
  EXPECT_EQ(programmer_.programmed_revision(), 6u);
}

TEST_F(RuleProgrammerTest, FailedChangeIsWrittenWholeAfterADelay) {
  Want("10.88.1.2:80", 5);
  loop_.RunFor(base::Duration::Seconds(1));
  faults_.SetOnce("dataplane.apply");
  faults_.SetOnce("dataplane.replace", 1);
  Want("10.88.1.3:80", 6);
  loop_.RunFor(base::Duration::Millis(400));
  EXPECT_EQ(programmer_.programmed_revision(), 5u);
  EXPECT_EQ(programmer_.trouble().message(), "fault dataplane.apply");
  Want("10.88.1.4:80", 7);
  loop_.RunFor(base::Duration::Seconds(1));
  EXPECT_TRUE(programmer_.trouble().ok());
  EXPECT_EQ(said_, "5 7 ");
  EXPECT_EQ(Reached(), "10.88.1.4");
}

TEST_F(RuleProgrammerTest, FailuresAreRetriedWithoutEnd) {
  faults_.Set("dataplane.replace", 1);
  Want("10.88.1.2:80", 5);
  loop_.RunFor(base::Duration::Minutes(10));
  // At once, after 0.5 s, 1 s, ... 16 s, then every 30 s.
  EXPECT_EQ(faults_.hits(), 25u);
  faults_.Clear();
  loop_.RunFor(base::Duration::Seconds(31));
  EXPECT_EQ(said_, "5 ");
}

TEST_F(RuleProgrammerTest, RevisionWaitsForStaleUdpToBeFlushed) {
  Want("10.88.1.2:80", 5, "udp/80");
  loop_.RunFor(base::Duration::Seconds(1));
  const auto send = [this] {
    return dataplane_.SendUdp({1}, 9, *Ipv4::Parse("10.96.0.1"), 80, 0).target.ip.ToString();
  };
  EXPECT_EQ(send(), "10.88.1.2");
  faults_.SetOnce("dataplane.flush");
  Want("10.88.1.3:80", 6, "udp/80");
  loop_.RunFor(base::Duration::Millis(100));
  EXPECT_EQ(programmer_.programmed_revision(), 5u);
  loop_.RunFor(base::Duration::Seconds(2));
  EXPECT_EQ(programmer_.programmed_revision(), 6u);
  EXPECT_EQ(send(), "10.88.1.3");
}

}  // namespace
}  // namespace servicemesh
