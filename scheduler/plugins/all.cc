// The table of plugins: a new one is its file, its declaration and its row
// here.
#include "scheduler/plugin.h"

namespace scheduler {

extern const Plugin kBalancePlugin, kHostPortsPlugin, kInterPodAffinityPlugin, kNodeAffinityPlugin,
    kNodeNamePlugin, kPodCountPlugin, kResourcesPlugin, kSpreadPlugin, kTaintsPlugin,
    kTopologySpreadPlugin, kUnschedulablePlugin;

// The cheapest and the most often decisive first. Weights as kube-scheduler's
// defaults.
const std::vector<ListedPlugin>& AllPlugins() {
  static const std::vector<ListedPlugin> kAll = {
      {&kUnschedulablePlugin, 0},    {&kPodCountPlugin, 0},      {&kResourcesPlugin, 1},
      {&kBalancePlugin, 1},          {&kTaintsPlugin, 3},        {&kNodeAffinityPlugin, 2},
      {&kNodeNamePlugin, 0},         {&kHostPortsPlugin, 0},     {&kSpreadPlugin, 2},
      {&kInterPodAffinityPlugin, 2}, {&kTopologySpreadPlugin, 2}};
  return kAll;
}

}  // namespace scheduler
