#include "tests/sim/world.h"

#include <cstdio>

#include "base/hash.h"

namespace tests {
namespace {

// Small, so that a transaction of more than a few objects takes several writes.
constexpr state::StorageLimits kDiskLimits{.batch_keys = 8};

}  // namespace

World::World(uint64_t seed)
    : rng(seed),
      loop(rng.Next()),
      faults(rng.Next()),
      disk(&faults, kDiskLimits),
      git(&faults),
      network(loop, rng.Next()),
      schema(manifests::Schema::BuiltIn()) {}

void World::Fail(const std::string& what) {
  if (!failure.empty()) return;
  failure = (loop.now().monotonic - base::MonotonicTime()).ToString() + ": " + what;
  if (verbose) std::printf("FAILED %s\n", failure.c_str());
}

void World::Trace(std::string_view what) {
  trace = (trace ^ base::Crc32c(what)) * 0x100000001B3;
  if (!verbose) return;
  std::printf("%10.3f %.*s\n",
              static_cast<double>((loop.now().monotonic - base::MonotonicTime()).millis()) / 1000,
              static_cast<int>(what.size()), what.data());
}

}  // namespace tests
