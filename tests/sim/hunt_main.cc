// sim: runs seeds and prints what failed: sim --seeds N --from S. The last line counts.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/sim/sim.h"

int main(int argc, char** argv) {
  uint64_t seeds = 100, from = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--from") == 0) from = std::strtoull(argv[i + 1], nullptr, 10);
  }
  uint64_t failed = 0;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const tests::SimReport report = tests::Sim(seed, tests::SimOptions()).Run();
    if (report.failure.empty()) continue;
    ++failed;
    std::printf("seed %llu: %s\n  ci/sim --seeds 1 --from %llu\n",
                static_cast<unsigned long long>(seed), report.failure.c_str(),
                static_cast<unsigned long long>(seed));
  }
  std::printf("sim: %llu seeds, %llu failed\n", static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
