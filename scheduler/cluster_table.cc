#include "scheduler/cluster_table.h"

#include <algorithm>

namespace scheduler {
namespace {

constexpr int64_t kDefaultPods = 110;  // of a node that does not say

// The node a pod takes room on, or "" if it takes none.
std::string_view HostOf(const state::ObjectPtr& pod) {
  if (pod == nullptr) return {};
  const std::string_view phase = (*pod)["status"]["phase"].AsString();
  return phase == "Succeeded" || phase == "Failed" ? std::string_view()
                                                   : (*pod)["spec"]["nodeName"].AsString();
}

}  // namespace

void NodeInfo::Add(const PodInfo& pod) {
  cpu_used += pod.milli_cpu;
  memory_used += pod.memory;
  ++pods_used;
  state::AddResources(extended_used, pod.extended);
  host_ports.insert(host_ports.end(), pod.host_ports.begin(), pod.host_ports.end());
  ++pods_by_owner[std::string(pod.owner)];
}

void NodeInfo::Remove(const PodInfo& pod) {
  cpu_used -= pod.milli_cpu;
  memory_used -= pod.memory;
  --pods_used;
  for (const auto& [resource, amount] : pod.extended)
    extended_used[resource] = extended_used[resource] - amount;
  for (const HostPort& port : pod.host_ports) {
    const auto same = [&](const HostPort& each) {
      return each.port == port.port && each.protocol == port.protocol && each.ip == port.ip;
    };
    const auto it = std::find_if(host_ports.begin(), host_ports.end(), same);
    if (it != host_ports.end()) host_ports.erase(it);
  }
  const auto it = pods_by_owner.find(pod.owner);
  if (it != pods_by_owner.end() && --it->second == 0) pods_by_owner.erase(it);
}

NodeTable::NodeTable(const state::View& view) {
  for (const state::ObjectPtr& node : view.List("nodes")) PutNode(node);
  for (const state::ObjectPtr& pod : view.List("pods")) PutPod(pod, true);
}

void NodeTable::Apply(const state::Change& change) {
  const state::Key& key = change.key();
  if (key.resource == "nodes") {
    if (!change.removed) return PutNode(change.object);
    const auto it = nodes_.find(key.name);
    if (it == nodes_.end()) return;
    nodes_.erase(it);
  } else if (key.resource == "pods") {
    const state::ObjectPtr now = change.removed ? nullptr : change.object;
    // Most changes of a pod are of its status, and move nothing.
    if (change.previous && now && HostOf(change.previous) == HostOf(now) &&
        (*change.previous)["spec"] == (*now)["spec"]) {
      return;
    }
    if (change.previous) PutPod(change.previous, false);
    if (now) PutPod(now, true);
  }
}

NodeInfo* NodeTable::Find(std::string_view name) {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : &it->second;
}

void NodeTable::PutNode(const state::ObjectPtr& node) {
  const auto [it, added] = nodes_.try_emplace(node->key.name);
  NodeInfo& info = it->second;
  info.name = node->key.name;
  info.object = node;
  info.labels = node->Labels();
  info.taints = (*node)["spec"]["taints"];
  info.unschedulable = (*node)["spec"]["unschedulable"].AsBool();
  info.extended_total.clear();
  info.cpu_total = info.memory_total = 0;
  info.pods_total = kDefaultPods;
  for (const auto& [name, amount] : (*node)["status"]["allocatable"].Members()) {
    const manifests::Quantity quantity = manifests::Quantity::Of(amount);
    if (name == "cpu") {
      info.cpu_total = quantity.MilliValue();
    } else if (name == "memory") {
      info.memory_total = quantity.Value();
    } else if (name == "pods") {
      info.pods_total = quantity.Value();
    } else {
      info.extended_total[std::string(name)] = quantity;
    }
  }
  if (!added) return;
  const auto strays = strays_.find(info.name);
  if (strays == strays_.end()) return;
  for (const auto& [key, pod] : strays->second) info.Add(PodInfo(pod));
  strays_.erase(strays);
}

void NodeTable::PutPod(const state::ObjectPtr& pod, bool add) {
  const std::string_view host = HostOf(pod);
  if (host.empty()) return;
  if (NodeInfo* node = Find(host)) {
    add ? node->Add(PodInfo(pod)) : node->Remove(PodInfo(pod));
    return;
  }
  auto& strays = strays_[std::string(host)];
  add ? (void)strays.insert_or_assign(pod->key, pod) : (void)strays.erase(pod->key);
  if (strays.empty()) strays_.erase(std::string(host));
}

}  // namespace scheduler
