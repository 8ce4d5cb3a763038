// As Kubernetes' DaemonSet controller decides: the node must be the one that the spec names, if it
// names one, and its labels must be those that nodeSelector and the required node affinity ask for;
// a node that is none of these runs no pod, and one that is there goes. A taint NoSchedule that is
// not tolerated only keeps new pods off; NoExecute drives off those that are there.
//
// Daemons run on nodes in trouble, too: they bear that a node is not ready, unreachable, short of
// disk, memory or processes, or cordoned, and on the host's network that it has no other.
#include "scheduler/daemon_fit.h"

#include <algorithm>
#include <iterator>

#include "manifests/kinds/daemon_set.h"
#include "scheduler/pod_info.h"

namespace scheduler {
namespace {

bool Bears(base::Value pod_spec, base::Value taint) {
  const auto is_it = [&](const manifests::DaemonToleration& borne) {
    return borne.key == taint["key"].AsString() && borne.effect == taint["effect"].AsString() &&
           (!borne.host_network_only || pod_spec["hostNetwork"].AsBool());
  };
  return std::any_of(std::begin(manifests::kDaemonTolerations),
                     std::end(manifests::kDaemonTolerations), is_it) ||
         Tolerates(pod_spec["tolerations"], taint);
}

}  // namespace

DaemonFit FitsDaemon(base::Value pod_spec, const state::Object& node) {
  const std::string_view wanted = pod_spec["nodeName"].AsString();
  if (!wanted.empty() && wanted != node.key.name) return {};
  if (!SelectsNode(pod_spec["nodeSelector"], pod_spec["affinity"]["nodeAffinity"], node.Labels(),
                   node.key.name)) {
    return {};
  }
  DaemonFit fit{true, true};
  for (base::Value taint : node["spec"]["taints"].Elements()) {
    const std::string_view effect = taint["effect"].AsString();
    if (effect == "PreferNoSchedule" || Bears(pod_spec, taint)) continue;
    fit.should_run = false;
    if (effect == "NoExecute") fit.should_continue = false;
  }
  return fit;
}

}  // namespace scheduler
