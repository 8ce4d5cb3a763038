#include "nodeagent/testing/probe_client_contract.h"

#include <optional>
#include <vector>

namespace nodeagent {
namespace {

constexpr base::Duration kProbeStepLimit = base::Duration::Seconds(60);

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProbeClientContract);

void PrintTo(const ProbeClientUnderTest& client, std::ostream* out) { *out << client.name; }

std::string ProbeClientName(const testing::TestParamInfo<ProbeClientUnderTest>& info) {
  return info.param.name;
}

base::Status ProbeClientContract::Ask(const Check& check, base::Duration timeout) {
  const auto answer = std::make_shared<std::optional<base::Status>>();
  bool within = false;
  const bool answered = world_->runner().Run(
      [&] {
        world_->client().Ask(check, timeout, [answer](base::Status status) {
          EXPECT_FALSE(*answer) << "it answered twice";
          *answer = std::move(status);
        });
        within = answer->has_value();
      },
      [answer] { return answer->has_value(); }, kProbeStepLimit);
  EXPECT_FALSE(within) << "it answered from within the call";
  return answered ? **answer : base::Status(base::Code::kInternal, "no answer came");
}

TEST_P(ProbeClientContract, AnAnswerFrom200To399IsGood) {
  std::string good;
  for (const int status : {199, 200, 204, 302, 399, 400, 503}) {
    if (Ask(world_->Answers(status)).ok()) good += std::to_string(status) + " ";
  }
  EXPECT_EQ(good, "200 204 302 399 ");
}

TEST_P(ProbeClientContract, AnotherAnswerIsTold) {
  EXPECT_EQ(Ask(world_->Answers(503)).message(), "HTTP status 503");
}

TEST_P(ProbeClientContract, AConnectionIsEnoughForTcp) {
  EXPECT_EQ(Ask(world_->Accepts()).ToString(), "OK");
}

TEST_P(ProbeClientContract, WhereNobodyIsItIsUnavailable) {
  EXPECT_EQ(Ask(world_->Refuses(Check::Kind::kHttp)).code(), base::Code::kUnavailable);
  EXPECT_EQ(Ask(world_->Refuses(Check::Kind::kTcp)).code(), base::Code::kUnavailable);
}

TEST_P(ProbeClientContract, SilenceEndsAtTheTimeout) {
  base::Loop& loop = world_->runner().loop();
  const base::MonotonicTime begin = loop.now().monotonic;
  EXPECT_EQ(Ask(world_->IsSilent(), base::Duration::Millis(50)).code(), base::Code::kTimeout);
  EXPECT_GE(loop.now().monotonic - begin, base::Duration::Millis(50));
}

TEST_P(ProbeClientContract, EachOfManyGetsItsOwnAnswer) {
  const Check good = world_->Answers(200), bad = world_->Answers(404);
  constexpr size_t kMany = 20;
  std::vector<std::string> said(kMany);
  size_t answered = 0;
  const bool all = world_->runner().Run(
      [&] {
        for (size_t i = 0; i < kMany; ++i) {
          world_->client().Ask(i % 2 == 0 ? good : bad, base::Duration::Seconds(30),
                               [&, i](const base::Status& status) {
                                 said[i] += status.ok() ? "good" : status.message();
                                 ++answered;
                               });
        }
      },
      [&] { return answered == kMany; }, kProbeStepLimit);
  ASSERT_TRUE(all);
  for (size_t i = 0; i < kMany; ++i) EXPECT_EQ(said[i], i % 2 == 0 ? "good" : "HTTP status 404");
}

}  // namespace nodeagent
