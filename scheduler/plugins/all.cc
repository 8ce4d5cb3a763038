// The order in which plugins are asked: the cheapest and the most often decisive first. Weights as
// kube-scheduler's defaults.
#include "scheduler/plugin.h"

// One a file of this folder, and the weight of its score: Name stands for kNamePlugin, which that
// file defines.
#define FOR_EACH_PLUGIN(DO) \
  DO(Unschedulable, 0)      \
  DO(PodCount, 0)           \
  DO(Resources, 1)          \
  DO(Balance, 1)            \
  DO(Taints, 3)             \
  DO(NodeAffinity, 2)       \
  DO(NodeName, 0)           \
  DO(HostPorts, 0)          \
  DO(Spread, 2)             \
  DO(InterPodAffinity, 2)   \
  DO(TopologySpread, 2)

namespace scheduler {

#define DECLARE(NAME, WEIGHT) extern const Plugin k##NAME##Plugin;
FOR_EACH_PLUGIN(DECLARE)
#undef DECLARE

const std::vector<ListedPlugin>& AllPlugins() {
#define ADD(NAME, WEIGHT) {&k##NAME##Plugin, WEIGHT},
  static const std::vector<ListedPlugin> kAll = {FOR_EACH_PLUGIN(ADD)};
#undef ADD
  return kAll;
}

}  // namespace scheduler
