// SimNode: a node that runs the pods bound to it, each after a while, and reports. It talks to the
// store as an agent would through the server: it reads what is durable, and writes its own pods'
// status only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/rng.h"
#include "state/testing/test_cluster.h"

namespace tests {

class SimNode {
 public:
  SimNode(state::TestCluster& cluster, std::string name, uint64_t seed);
  ~SimNode() { *alive_ = false; }

  // One look at its pods: starts what should run, ends what should end, reports what changed.
  void Work();
  // A container of one of its pods fails and is started again, a while later.
  void FailOne();
  const std::string& name() const { return name_; }

 private:
  struct Running {
    base::MonotonicTime ready_at;
    int restarts = 0;
  };
  void ShowLife();
  void Report(const state::Object& pod, const Running& running);
  base::Duration Soon();

  state::TestCluster& cluster_;
  const std::string name_;
  base::Rng rng_;
  std::map<std::string, Running> running_;               // by pod uid
  std::map<std::string, base::MonotonicTime> stopping_;  // by pod uid: gone at
  std::optional<base::MonotonicTime> renewed_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tests
