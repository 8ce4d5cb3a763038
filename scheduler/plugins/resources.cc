// A node must have room for the pod's requests and for one pod more. Of nodes with room, those with
// most left score best (least allocated), and those whose cpu and memory would be used to the same
// share (balanced).
#include <cstdlib>

#include "manifests/quantity.h"
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

using manifests::Quantity;

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  if (pod.milli_cpu > 0 && node.cpu_used + pod.milli_cpu > node.cpu_total) return false;
  if (pod.memory > 0 && node.memory_used + pod.memory > node.memory_total) return false;
  for (const auto& [name, amount] : pod.extended) {
    const auto total = node.extended_total.find(name);
    const auto used = node.extended_used.find(name);
    const Quantity free = (total == node.extended_total.end() ? Quantity() : total->second) -
                          (used == node.extended_used.end() ? Quantity() : used->second);
    if (amount > free) return false;
  }
  return true;
}

Rejection Explain(const PodInfo& pod, const NodeInfo& node) {
  if (pod.memory > 0 && node.memory_used + pod.memory > node.memory_total) {
    const int64_t left = node.memory_total - node.memory_used;
    return {"too little memory", Quantity::Units(pod.memory).ToHuman(), left,
            Quantity::Units(left).ToHuman()};
  }
  if (pod.milli_cpu > 0 && node.cpu_used + pod.milli_cpu > node.cpu_total) {
    const int64_t left = node.cpu_total - node.cpu_used;
    return {"too little cpu", Quantity::Milli(pod.milli_cpu).ToString(), left,
            Quantity::Milli(left).ToString()};
  }
  for (const auto& [name, amount] : pod.extended) {
    const auto total = node.extended_total.find(name);
    if (total == node.extended_total.end()) return {"without " + name, "", 0, ""};
    const auto used = node.extended_used.find(name);
    const Quantity left =
        total->second - (used == node.extended_used.end() ? Quantity() : used->second);
    if (amount > left)
      return {"too little " + name, amount.ToString(), left.Value(), left.ToString()};
  }
  return {"without room", "", 0, ""};
}

bool CountFits(const PodInfo&, const NodeInfo& node) { return node.pods_used < node.pods_total; }

Rejection ExplainCount(const PodInfo&, const NodeInfo& node) {
  return {"full (" + std::to_string(node.pods_total) + " pods)", "", 0, ""};
}

// Thousandths of `total` that would be used.
int64_t Share(int64_t used, int64_t total) {
  return total <= 0 ? 1000 : std::min<int64_t>(used * 1000 / total, 1000);
}

int64_t LeastAllocated(const PodInfo& pod, const NodeInfo& node) {
  const int64_t cpu = Share(node.cpu_used + pod.milli_cpu, node.cpu_total);
  const int64_t memory =
      Share(node.memory_used / 1024 + pod.memory / 1024, node.memory_total / 1024);
  return (2000 - cpu - memory) * kMostScore / 2000;
}

int64_t Balanced(const PodInfo& pod, const NodeInfo& node) {
  const int64_t cpu = Share(node.cpu_used + pod.milli_cpu, node.cpu_total);
  const int64_t memory =
      Share(node.memory_used / 1024 + pod.memory / 1024, node.memory_total / 1024);
  return kMostScore - std::abs(cpu - memory) * kMostScore / 1000;
}

}  // namespace

const Filter kResourcesFilter = {"NodeResourcesFit", Fits, Explain};
const Filter kPodCountFilter = {"PodCount", CountFits, ExplainCount};
const Score kLeastAllocatedScore = {"LeastAllocated", 1, LeastAllocated};
const Score kBalancedScore = {"BalancedAllocation", 1, Balanced};

}  // namespace scheduler
