// A fixed set of seeds, and every seed that ever failed (corpus.txt). `ci/sim` hunts with others.
#include "tests/sim/sim.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace tests {
namespace {

constexpr uint64_t kSeeds = 60;  // PLUMB_SIM_SEEDS says another number: under a sanitizer
#ifdef __SANITIZE_ADDRESS__
constexpr bool kTwice = false;  // five times as slow, and no more deterministic
#else
constexpr bool kTwice = true;
#endif

uint64_t Seeds() {
  const char* asked = std::getenv("PLUMB_SIM_SEEDS");
  return asked == nullptr ? kSeeds : std::strtoull(asked, nullptr, 10);
}

void RunSeed(uint64_t seed) {
  const SimReport first = Sim(seed, SimOptions()).Run();
  ASSERT_EQ(first.failure, "") << "ci/sim --seeds 1 --from " << seed;
  if (!kTwice) return;
  const SimReport second = Sim(seed, SimOptions()).Run();
  ASSERT_EQ(first.trace, second.trace) << "not deterministic: ci/sim --seeds 1 --from " << seed;
}

TEST(SimTest, EverySeedKeepsItsPromises) {
  for (uint64_t seed = 1; seed <= Seeds(); ++seed) RunSeed(seed);
}

TEST(SimTest, EverySeedThatEverFailedPassesNow) {
  std::ifstream corpus("tests/sim/corpus.txt");
  ASSERT_TRUE(corpus.is_open()) << "run from the top of the repository";
  for (std::string line; std::getline(corpus, line);) {
    if (!line.empty() && line[0] != '#') RunSeed(std::stoull(line));
  }
}

TEST(SimTest, ARunDoesRealWork) {
  SimReport all;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const SimReport one = Sim(seed, SimOptions()).Run();
    all.commits += one.commits;
    all.crashes += one.crashes;
    all.deploys += one.deploys;
    all.started += one.started;
    all.stopped += one.stopped;
    all.watched += one.watched;
  }
  EXPECT_GT(all.commits, 1500u);
  EXPECT_GT(all.crashes, 6u);
  EXPECT_GT(all.deploys, 30u);
  EXPECT_GT(all.started, 50u);
  EXPECT_GT(all.stopped, 20u);
  EXPECT_GT(all.watched, 500u);
}

}  // namespace
}  // namespace tests
