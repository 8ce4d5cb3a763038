#include "scheduler/ready_pods.h"

namespace scheduler {

void ReadyPods::Insert(const state::Object& pod) {
  Erase(pod.key);
  Rank rank(-pod["spec"]["priority"].AsInt(), pod.Meta("creationTimestamp").AsString());
  order_.emplace(rank, pod.key);
  ranks_.emplace(pod.key, std::move(rank));
}

void ReadyPods::Erase(const state::Key& pod) {
  const auto found = ranks_.find(pod);
  if (found == ranks_.end()) return;
  order_.erase({found->second, pod});
  ranks_.erase(found);
}

std::optional<state::Key> ReadyPods::Take() {
  if (order_.empty()) return std::nullopt;
  state::Key pod = order_.begin()->second;
  Erase(pod);
  return pod;
}

}  // namespace scheduler
