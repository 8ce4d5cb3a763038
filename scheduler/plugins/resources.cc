// A node must have room for the pod's requests. Of nodes with room, those with most left score best
// (least allocated).
#include "manifests/quantity.h"
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

using manifests::Quantity;

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  const PodInfo& pod = prepared.pod;
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

Rejection Explain(const Prepared& prepared, const NodeInfo& node) {
  const PodInfo& pod = prepared.pod;
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
    if (total == node.extended_total.end()) return {"without " + name};
    const auto used = node.extended_used.find(name);
    const Quantity left =
        total->second - (used == node.extended_used.end() ? Quantity() : used->second);
    if (amount > left)
      return {"too little " + name, amount.ToString(), left.Value(), left.ToString()};
  }
  return {"without room"};
}

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const int64_t cpu = node.CpuShareWith(prepared.pod);
  const int64_t memory = node.MemoryShareWith(prepared.pod);
  return (2000 - cpu - memory) * kMaxScore / 2000;
}

bool WakesOn(const PodInfo&, const ClusterChange& change) {
  return PodLeft(change) || NodeChanged(change, "status", "allocatable");
}

}  // namespace

extern const Plugin kResourcesPlugin = {.name = "NodeResourcesFit",
                                        .fits = Fits,
                                        .explain = Explain,
                                        .score = ScoreNode,
                                        .wakes_on = WakesOn};

}  // namespace scheduler
