#include "scheduler/plugin.h"

namespace scheduler {

bool PodLeft(const ClusterChange& change) {
  return change.pod_before != nullptr &&
         (change.pod_now == nullptr || (*change.pod_now)["spec"] != (*change.pod_before)["spec"]);
}

bool NodeChanged(const ClusterChange& change, std::string_view object, std::string_view field) {
  return change.node_before != nullptr && change.node_now != nullptr &&
         (*change.node_before)[object][field] != (*change.node_now)[object][field];
}

}  // namespace scheduler
