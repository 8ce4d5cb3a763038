// World: what processes come and go in: time, the network, the control plane's disk, Git, chance.
//
// Everything of a simulation borrows it. The first broken rule is the run's failure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/faults.h"
#include "base/rng.h"
#include "base/testing/sim_loop.h"
#include "gitsync/testing/fake_git.h"
#include "nodeagent/testing/sim_network.h"
#include "state/draft.h"
#include "state/errands/testing/fake_http_caller.h"
#include "state/testing/memory_storage.h"

namespace tests {

struct World {
  explicit World(uint64_t seed);

  // "12.345s: WHAT", if nothing failed before.
  void Fail(const std::string& what);
  // Something happened that must happen again in the next run of the seed.
  void Trace(std::string_view what);

  base::Rng rng;
  base::SimLoop loop;
  base::Faults faults;  // of the disk and of Git
  state::MemoryStorage disk;
  gitsync::FakeGit git;
  nodeagent::SimNetwork network;
  state::FakeHttpServers outside;  // other people's
  const std::shared_ptr<const manifests::Schema> schema;
  const state::ClusterConfig config;

  std::string failure;  // empty: every rule held
  uint64_t trace = 0;
  int verbose = 0;  // 1: prints what Trace is told, 2: objects, too
};

}  // namespace tests
