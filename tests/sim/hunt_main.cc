// sim: runs seeds and prints what failed: sim --seeds N --from S [--calm 1] [--verbose 1|2]. The
// last line counts.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/sim/sim.h"

int main(int argc, char** argv) {
  uint64_t seeds = 100, from = 1;
  tests::SimOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = value;
    if (std::strcmp(argv[i], "--from") == 0) from = value;
    if (std::strcmp(argv[i], "--calm") == 0) options.troubles = value == 0;
    if (std::strcmp(argv[i], "--verbose") == 0) options.verbose = static_cast<int>(value);
  }
  uint64_t failed = 0;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const tests::SimReport report = tests::Sim(seed, options).Run();
    if (options.verbose > 0) {
      std::printf(
          "commits %llu, crashes %llu, turns %llu, started %llu, stopped %llu, deploys %llu, "
          "watched %llu, expired %llu\n",
          static_cast<unsigned long long>(report.commits),
          static_cast<unsigned long long>(report.crashes),
          static_cast<unsigned long long>(report.turns),
          static_cast<unsigned long long>(report.started),
          static_cast<unsigned long long>(report.stopped),
          static_cast<unsigned long long>(report.deploys),
          static_cast<unsigned long long>(report.watched),
          static_cast<unsigned long long>(report.expired));
    }
    if (report.failure.empty()) continue;
    ++failed;
    std::printf("seed %llu: %s\n  ci/sim --seeds 1 --from %llu\n",
                static_cast<unsigned long long>(seed), report.failure.c_str(),
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  }
  std::printf("sim: %llu seeds, %llu failed\n", static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
