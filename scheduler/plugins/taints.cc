// A taint with effect NoSchedule or NoExecute keeps off pods that do not tolerate it; one with
// PreferNoSchedule only costs score.
#include <algorithm>

#include "scheduler/plugin.h"

namespace scheduler {
namespace {

base::Value FirstRepelling(const PodInfo& pod, const NodeInfo& node) {
  for (base::Value taint : node.taints.Elements()) {
    if (taint["effect"].AsString() != "PreferNoSchedule" && !Tolerates(pod.tolerations, taint))
      return taint;
  }
  return base::Value();
}

bool Fits(const PodInfo& pod, const NodeInfo& node) { return !FirstRepelling(pod, node).Exists(); }

Rejection Explain(const PodInfo& pod, const NodeInfo& node) {
  const std::string_view key = FirstRepelling(pod, node)["key"].AsString();
  if (key == "node.kubernetes.io/not-ready") return {"not ready", "", 0, ""};
  if (key == "node.kubernetes.io/unreachable") return {"unreachable", "", 0, ""};
  return {"tainted " + std::string(key) + " (the pod does not tolerate it)", "", 0, ""};
}

int64_t ScoreNode(const PodInfo& pod, const NodeInfo& node) {
  constexpr int64_t kCostOfOne = 25;
  int64_t score = kMostScore;
  for (base::Value taint : node.taints.Elements()) {
    if (taint["effect"].AsString() == "PreferNoSchedule" && !Tolerates(pod.tolerations, taint))
      score -= kCostOfOne;
  }
  return std::max<int64_t>(score, 0);
}

}  // namespace

const Filter kTaintFilter = {"TaintToleration", Fits, Explain};
const Score kTaintScore = {"TaintToleration", 3, ScoreNode};

}  // namespace scheduler
