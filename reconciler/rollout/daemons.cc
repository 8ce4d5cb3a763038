// First each node by itself: where no pod may stay, all go; where one should run and none is there
// (one that is ending is), one is made; of more than one, the oldest stays. Amid a surge the oldest
// of the old template and the oldest of the new one stay.
//
// Then the update, of the nodes where a pod should run. Without surge an old pod that is not
// available goes at once, since nothing is lost with it; those that are available go as long as no
// more than maxUnavailable nodes have no available pod. With surge an old pod goes when the new one
// beside it is available, and new ones come beside old ones on maxSurge nodes at a time; beside one
// that is not available, at once. A pod that could not come back (its node takes no new ones) is
// not replaced.
#include "reconciler/rollout/daemons.h"

#include <algorithm>
#include <optional>

#include "reconciler/rollout/amount.h"

namespace reconciler {
namespace {

// What stays of a node's pods; those that are ending are not in it.
struct Kept {
  std::optional<size_t> old_pod, new_pod;
};

class Planner {
 public:
  Planner(const DaemonLimits& limits, const std::vector<DaemonNode>& nodes)
      : limits_(limits), nodes_(nodes), kept_(nodes.size()) {}

  DaemonSteps Run() && {
    for (size_t i = 0; i < nodes_.size(); ++i) PlanNode(i);
    if (limits_.rolling && limits_.max_surge > 0) {
      UpdateWithSurge();
    } else if (limits_.rolling) {
      UpdateInPlace();
    }
    std::sort(steps_.create.begin(), steps_.create.end());
    std::sort(steps_.remove.begin(), steps_.remove.end());
    return std::move(steps_);
  }

 private:
  bool Surges() const { return limits_.rolling && limits_.max_surge > 0; }

  void PlanNode(size_t i) {
    const DaemonNode& node = nodes_[i];
    for (size_t p = 0; p < node.pods.size(); ++p) {
      if (node.pods[p].ending) continue;
      Kept& kept = kept_[i];
      std::optional<size_t>& place = node.pods[p].updated ? kept.new_pod : kept.old_pod;
      const bool taken = Surges() ? place.has_value() : kept.old_pod || kept.new_pod;
      if (!node.should_continue || taken) {
        steps_.remove.push_back({i, p});
      } else {
        place = p;
      }
    }
    if (node.should_run && node.pods.empty()) Create(i);
  }

  void Create(size_t i) {
    if (!nodes_[i].waits) steps_.create.push_back(i);
  }
  bool IsAvailable(size_t i, size_t pod) const { return nodes_[i].pods[pod].available; }

  void UpdateInPlace() {
    int64_t unavailable = 0;
    std::vector<DaemonSteps::Pod> candidates;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].should_run) continue;
      const auto& [old_pod, new_pod] = kept_[i];
      if (old_pod && IsAvailable(i, *old_pod)) {
        candidates.push_back({i, *old_pod});
      } else if (old_pod) {
        steps_.remove.push_back({i, *old_pod});
        ++unavailable;
      } else if (!new_pod || !IsAvailable(i, *new_pod)) {
        ++unavailable;
      }
    }
    for (const DaemonSteps::Pod& candidate : candidates) {
      if (unavailable++ >= limits_.max_unavailable) return;
      steps_.remove.push_back(candidate);
    }
  }

  void UpdateWithSurge() {
    int64_t surging = 0;
    std::vector<size_t> candidates;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const auto& [old_pod, new_pod] = kept_[i];
      if (!nodes_[i].should_run || !old_pod) continue;
      if (new_pod) {
        ++surging;
        if (IsAvailable(i, *new_pod)) steps_.remove.push_back({i, *old_pod});
      } else if (IsAvailable(i, *old_pod)) {
        candidates.push_back(i);
      } else {
        Create(i);
      }
    }
    for (const size_t i : candidates) {
      if (surging++ >= limits_.max_surge) return;
      Create(i);
    }
  }

  const DaemonLimits& limits_;
  const std::vector<DaemonNode>& nodes_;
  std::vector<Kept> kept_;
  DaemonSteps steps_;
};

}  // namespace

// Percentages round up. Should both come to 0, one node may be without, or nothing could ever move.
DaemonLimits DaemonLimitsOf(base::Value spec, int64_t desired) {
  const base::Value strategy = spec["updateStrategy"];
  DaemonLimits limits;
  limits.rolling = strategy["type"].AsString("RollingUpdate") == "RollingUpdate";
  limits.max_unavailable =
      AmountOf(strategy["rollingUpdate"]["maxUnavailable"], desired, Round::kUp);
  limits.max_surge = AmountOf(strategy["rollingUpdate"]["maxSurge"], desired, Round::kUp);
  if (limits.max_unavailable == 0 && limits.max_surge == 0) limits.max_unavailable = 1;
  return limits;
}

DaemonSteps PlanDaemons(const DaemonLimits& limits, const std::vector<DaemonNode>& nodes) {
  return Planner(limits, nodes).Run();
}

}  // namespace reconciler
