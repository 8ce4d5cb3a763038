// A pod takes room on the node that it is bound to until it has ended. A node that goes leaves its
// pods behind as strays: they count again when a node of that name comes back. Placed pods are
// counted by class and node; a class goes with its last pod.
#include "scheduler/cluster_table.h"

#include <algorithm>

#include "manifests/kinds/pod.h"

namespace scheduler {
namespace {

constexpr int64_t kDefaultPods = 110;  // of a node that does not say

// The node a pod takes room on, or "" if it takes none.
std::string_view HostOf(const state::ObjectPtr& pod) {
  if (pod == nullptr) return {};
  return manifests::HasEnded(pod->document.root()) ? std::string_view()
                                                   : (*pod)["spec"]["nodeName"].AsString();
}

int64_t Share(int64_t used, int64_t total) {
  return total <= 0 ? 1000 : std::min<int64_t>(used * 1000 / total, 1000);
}

// Whether a pod's change leaves all as it was for the table: most are of its status.
bool SamePlacedPod(const state::ObjectPtr& before, const state::ObjectPtr& now) {
  return before != nullptr && now != nullptr && HostOf(before) == HostOf(now) &&
         (*before)["spec"] == (*now)["spec"] && before->Labels() == now->Labels() &&
         before->Deleting() == now->Deleting();
}

// A heartbeat changes nothing that a pod could wait for.
bool SameNode(const state::ObjectPtr& before, const state::ObjectPtr& now) {
  return before != nullptr && (*before)["spec"] == (*now)["spec"] &&
         before->Labels() == now->Labels() &&
         (*before)["status"]["allocatable"] == (*now)["status"]["allocatable"];
}

}  // namespace

void NodeInfo::Add(const PodInfo& pod) {
  cpu_used += pod.milli_cpu;
  memory_used += pod.memory;
  ++pods_used;
  manifests::AddResources(extended_used, pod.extended);
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

int64_t NodeInfo::CpuShareWith(const PodInfo& pod) const {
  return Share(cpu_used + pod.milli_cpu, cpu_total);
}

int64_t NodeInfo::MemoryShareWith(const PodInfo& pod) const {
  return Share(memory_used / 1024 + pod.memory / 1024, memory_total / 1024);
}

void Topology::Put(size_t slot, base::Value value) {
  if (domains_.size() <= slot) domains_.resize(slot + 1, kNone);
  int& domain = domains_[slot];
  if (domain != kNone) {
    const auto it = by_value_.find(values_[static_cast<size_t>(domain)]);
    if (value.Exists() && it->first == value.AsString()) return;
    if (--it->second.nodes == 0) {
      free_.push_back(domain);
      by_value_.erase(it);
    }
    domain = kNone;
  }
  if (!value.Exists()) return;
  const auto [it, added] = by_value_.try_emplace(std::string(value.AsString()));
  if (added) {
    if (free_.empty()) {
      free_.push_back(static_cast<int>(values_.size()));
      values_.emplace_back();
    }
    it->second.number = free_.back();
    free_.pop_back();
    values_[static_cast<size_t>(it->second.number)] = it->first;
  }
  ++it->second.nodes;
  domain = it->second.number;
}

PodClass::PodClass(const PodInfo& pod)
    : ns(pod.key().ns),
      leaving(pod.object->Deleting()),
      document_(base::Json::MakeObject({{"labels", pod.object->Labels().ToJson()},
                                        {"affinity", pod.pod_affinity.ToJson()},
                                        {"antiAffinity", pod.pod_anti_affinity.ToJson()}})) {
  labels = document_["labels"];
  affinity = document_["affinity"];
  anti_affinity = document_["antiAffinity"];
}

ClusterTable::ClusterTable(const state::View& view) {
  for (const state::ObjectPtr& ns : view.List("namespaces")) namespaces_[ns->key.name] = ns;
  for (const state::ObjectPtr& node : view.List("nodes")) PutNode(node);
  for (const state::ObjectPtr& pod : view.List("pods")) PutPod(pod, true);
}

std::optional<ClusterChange> ClusterTable::Apply(const state::Change& change,
                                                 const state::View& view) {
  const state::Key& key = change.key();
  const state::ObjectPtr now = change.removed ? nullptr : change.object;
  ClusterChange moved;
  if (key.resource == "nodes") {
    now != nullptr ? PutNode(now) : RemoveNode(key.name, view);
    if (now != nullptr && SameNode(change.previous, now)) return std::nullopt;
    moved.node_before = change.previous;
    moved.node_now = now;
  } else if (key.resource == "pods") {
    moved.pod_before = HostOf(change.previous).empty() ? nullptr : change.previous;
    moved.pod_now = HostOf(now).empty() ? nullptr : now;
    if (!moved.pod_before && !moved.pod_now) return std::nullopt;
    if (SamePlacedPod(moved.pod_before, moved.pod_now)) return std::nullopt;
    if (moved.pod_before) PutPod(moved.pod_before, false);
    if (moved.pod_now) PutPod(moved.pod_now, true);
  } else if (key.resource == "namespaces") {
    now != nullptr ? void(namespaces_[key.name] = now) : void(namespaces_.erase(key.name));
    moved.namespace_labels =
        now != nullptr && change.previous && now->Labels() != change.previous->Labels();
    if (!moved.namespace_labels) return std::nullopt;
  } else {
    return std::nullopt;
  }
  return moved;
}

void ClusterTable::Place(const PodInfo& pod, NodeInfo& node) {
  node.Add(pod);
  auto it = classes_.find(KeyOf(pod));
  if (it == classes_.end()) {
    auto made = std::make_unique<PodClass>(pod);
    const ClassKey key(made->ns, made->labels.Bytes(), made->affinity.Bytes(),
                       made->anti_affinity.Bytes(), made->leaving);
    if (!made->affinity.IsNull() || !made->anti_affinity.IsNull()) choosy_[key] = made.get();
    it = classes_.emplace(key, std::move(made)).first;
  }
  ++it->second->pods[node.slot];
}

void ClusterTable::Unplace(const PodInfo& pod, NodeInfo& node) {
  node.Remove(pod);
  const auto it = classes_.find(KeyOf(pod));
  if (it == classes_.end()) return;
  PodClass& its_class = *it->second;
  const auto here = its_class.pods.find(node.slot);
  if (here != its_class.pods.end() && --here->second == 0) its_class.pods.erase(here);
  if (!its_class.pods.empty()) return;
  choosy_.erase(it->first);
  classes_.erase(it);
}

NodeInfo* ClusterTable::Find(std::string_view name) {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : &it->second;
}

const Topology& ClusterTable::TopologyOf(std::string_view key) {
  auto it = topologies_.find(key);
  if (it == topologies_.end()) {
    it = topologies_.try_emplace(std::string(key)).first;
    it->second.domains_.resize(next_slot_, Topology::kNone);
    for (const auto& [name, node] : nodes_) it->second.Put(node.slot, node.labels[key]);
  }
  return it->second;
}

void ClusterTable::TrimTopologies() {
  if (topologies_.size() > kMaxTopologies) topologies_.clear();
}

base::Value ClusterTable::NamespaceLabels(std::string_view ns) const {
  const auto it = namespaces_.find(ns);
  return it == namespaces_.end() ? base::Value() : it->second->Labels();
}

ClusterTable::ClassKey ClusterTable::KeyOf(const PodInfo& pod) {
  return {pod.key().ns, pod.object->Labels().Bytes(), pod.pod_affinity.Bytes(),
          pod.pod_anti_affinity.Bytes(), pod.object->Deleting()};
}

void ClusterTable::PutNode(const state::ObjectPtr& node) {
  const auto [it, added] = nodes_.try_emplace(node->key.name);
  NodeInfo& info = it->second;
  if (added) {
    info.name = node->key.name;
    info.slot = free_slots_.empty() ? next_slot_++ : free_slots_.back();
    if (!free_slots_.empty()) free_slots_.pop_back();
  }
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
  for (auto& [key, topology] : topologies_) topology.Put(info.slot, info.labels[key]);
  if (!added) return;
  const auto strays = strays_.find(info.name);
  if (strays == strays_.end()) return;
  for (const auto& [key, pod] : strays->second) Place(PodInfo(pod), info);
  strays_.erase(strays);
}

void ClusterTable::RemoveNode(const std::string& name, const state::View& view) {
  const auto it = nodes_.find(name);
  if (it == nodes_.end()) return;
  const size_t slot = it->second.slot;
  nodes_.erase(it);
  free_slots_.push_back(slot);
  for (auto& [key, topology] : topologies_) topology.Put(slot, base::Value());
  for (auto each = classes_.begin(); each != classes_.end();) {
    each->second->pods.erase(slot);
    if (!each->second->pods.empty()) {
      ++each;
      continue;
    }
    choosy_.erase(each->first);
    each = classes_.erase(each);
  }
  for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, name)) {
    if (HostOf(pod) == name) PutPod(pod, true);
  }
}

void ClusterTable::PutPod(const state::ObjectPtr& pod, bool add) {
  const std::string_view host = HostOf(pod);
  if (host.empty()) return;
  if (NodeInfo* node = Find(host)) {
    add ? Place(PodInfo(pod), *node) : Unplace(PodInfo(pod), *node);
    return;
  }
  auto& strays = strays_[std::string(host)];
  add ? (void)strays.insert_or_assign(pod->key, pod) : (void)strays.erase(pod->key);
  if (strays.empty()) strays_.erase(std::string(host));
}

}  // namespace scheduler
