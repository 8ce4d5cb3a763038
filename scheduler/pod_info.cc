// Node selection and toleration follow the Kubernetes API's documentation of NodeSelectorTerm and
// Toleration: the terms of an affinity are alternatives, the expressions inside one must all hold,
// an empty term matches nothing; an empty toleration key with operator Exists tolerates all, an
// empty effect every effect.
#include "scheduler/pod_info.h"

namespace scheduler {
namespace {

int64_t Take(manifests::ResourceList& list, std::string_view name, bool milli) {
  const auto it = list.find(name);
  if (it == list.end()) return 0;
  const int64_t amount = milli ? it->second.MilliValue() : it->second.Value();
  list.erase(it);
  return amount;
}

}  // namespace

bool HostPort::ConflictsWith(const HostPort& other) const {
  return port == other.port && protocol == other.protocol &&
         (ip == other.ip || ip == "0.0.0.0" || other.ip == "0.0.0.0");
}

PodInfo::PodInfo(state::ObjectPtr pod) : object(std::move(pod)) {
  const base::Value spec = this->spec();
  manifests::ResourceList requests = manifests::PodResources(spec, "requests");
  milli_cpu = Take(requests, "cpu", true);
  memory = Take(requests, "memory", false);
  extended = std::move(requests);
  priority = spec["priority"].AsInt();
  owner = object->ControllerRef()["uid"].AsString(object->Uid());
  node_name = spec["nodeName"].AsString();
  node_selector = spec["nodeSelector"];
  node_affinity = spec["affinity"]["nodeAffinity"];
  pod_affinity = spec["affinity"]["podAffinity"];
  pod_anti_affinity = spec["affinity"]["podAntiAffinity"];
  tolerations = spec["tolerations"];
  const bool host_network = spec["hostNetwork"].AsBool();
  for (base::Value container : spec["containers"].Elements()) {
    for (base::Value port : container["ports"].Elements()) {
      const int64_t number =
          host_network ? port["containerPort"].AsInt() : port["hostPort"].AsInt();
      if (number == 0) continue;
      host_ports.push_back(HostPort{std::string(port["protocol"].AsString("TCP")), number,
                                    std::string(port["hostIP"].AsString("0.0.0.0"))});
    }
  }
}

bool PodInfo::IsTwinOf(const PodInfo& other) const {
  return owner == other.owner && key().ns == other.key().ns &&
         object->Labels() == other.object->Labels() && spec() == other.spec();
}

bool MatchesTerm(base::Value term, base::Value labels, std::string_view node_name) {
  const base::Value expressions = term["matchExpressions"];
  const base::Value fields = term["matchFields"];
  if (expressions.empty() && fields.empty()) return false;
  if (!expressions.empty()) {
    const auto selector = manifests::LabelSelector::FromExpressions(expressions);
    if (!selector.ok() || !selector->Matches(labels)) return false;
  }
  for (base::Value field : fields.Elements()) {
    if (field["key"].AsString() != "metadata.name") return false;
    bool listed = false;
    for (base::Value value : field["values"].Elements()) listed |= value.AsString() == node_name;
    if (listed != (field["operator"].AsString() == "In")) return false;
  }
  return true;
}

bool SelectsNode(base::Value selector, base::Value affinity, base::Value labels,
                 std::string_view node_name) {
  for (const auto& [key, value] : selector.Members()) {
    const base::Value label = labels[key];
    if (!label.Exists() || label.AsString() != value.AsString()) return false;
  }
  const base::Value required = affinity["requiredDuringSchedulingIgnoredDuringExecution"];
  if (!required.Exists()) return true;
  for (base::Value term : required["nodeSelectorTerms"].Elements()) {
    if (MatchesTerm(term, labels, node_name)) return true;
  }
  return false;
}

manifests::LabelSelector SelectorFrom(base::Value object) {
  auto selector = manifests::LabelSelector::FromObject(object);
  return selector.ok() ? *std::move(selector) : manifests::LabelSelector::Nothing();
}

bool Tolerates(base::Value tolerations, base::Value taint) {
  for (base::Value toleration : tolerations.Elements()) {
    const std::string_view effect = toleration["effect"].AsString();
    if (!effect.empty() && effect != taint["effect"].AsString()) continue;
    const std::string_view key = toleration["key"].AsString();
    if (!key.empty() && key != taint["key"].AsString()) continue;
    if (toleration["operator"].AsString() == "Exists") return true;
    if (!key.empty() && toleration["value"].AsString() == taint["value"].AsString()) return true;
  }
  return false;
}

base::Value FirstRepelling(base::Value taints, base::Value tolerations) {
  for (base::Value taint : taints.Elements()) {
    if (taint["effect"].AsString() != "PreferNoSchedule" && !Tolerates(tolerations, taint))
      return taint;
  }
  return base::Value();
}

bool ToleratesCordon(base::Value tolerations) {
  static const base::Document kCordon = base::Document(base::Json::MakeObject(
      {{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}}));
  return Tolerates(tolerations, kCordon.root());
}

}  // namespace scheduler
