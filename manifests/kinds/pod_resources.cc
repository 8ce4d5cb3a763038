#include "manifests/kinds/pod_resources.h"

#include <algorithm>

namespace manifests {
namespace {

Quantity QuantityOf(base::Value value) { return Quantity::Of(value); }
Quantity QuantityOf(const base::Json& value) {
  const base::Result<Quantity> parsed =
      Quantity::Parse(value.IsString() ? std::string(value.AsString()) : value.ToString());
  return parsed.ok() ? *parsed : Quantity();
}

std::string_view NameOf(const base::Value::Member& member) { return member.key; }
std::string_view NameOf(const base::Json::Member& member) { return member.key; }

template <typename V>
ResourceList ListOf(const V& container, std::string_view field) {
  ResourceList list;
  const auto& resources = container["resources"];
  const auto& amounts = resources[field];
  for (const auto& member : amounts.Members())
    list[std::string(NameOf(member))] = QuantityOf(member.value);
  return list;
}

template <typename V>
ResourceList Sum(const V& spec, std::string_view field) {
  ResourceList running;  // containers and sidecars
  for (const auto& container : spec["containers"].Elements())
    AddResources(running, ListOf(container, field));
  ResourceList sidecars, starting;
  for (const auto& container : spec["initContainers"].Elements()) {
    ResourceList own = ListOf(container, field);
    if (container["restartPolicy"].AsString() == "Always") {
      AddResources(sidecars, own);
      AddResources(running, own);
      own = sidecars;
    } else {
      AddResources(own, sidecars);
    }
    for (const auto& [name, amount] : own) starting[name] = std::max(starting[name], amount);
  }
  for (const auto& [name, amount] : starting) running[name] = std::max(running[name], amount);
  return running;
}

template <typename V>
std::string_view QosOf(const V& spec) {
  bool any = false, guaranteed = true;
  for (const char* list : {"containers", "initContainers"}) {
    for (const auto& container : spec[list].Elements()) {
      const ResourceList limits = ListOf(container, "limits");
      const ResourceList requests = ListOf(container, "requests");
      for (const char* resource : {"cpu", "memory"}) {
        const auto limit = limits.find(resource);
        const Quantity most = limit != limits.end() ? limit->second : Quantity();
        const auto request = requests.find(resource);
        const Quantity asked = request != requests.end() ? request->second : most;
        any = any || !most.IsZero() || !asked.IsZero();
        guaranteed = guaranteed && !most.IsZero() && most == asked;
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace

std::string_view QosClass(base::Value spec) { return QosOf(spec); }
std::string_view QosClass(const base::Json& spec) { return QosOf(spec); }

ResourceList PodResources(base::Value spec, std::string_view field) { return Sum(spec, field); }
ResourceList PodResources(const base::Json& spec, std::string_view field) {
  return Sum(spec, field);
}

void AddResources(ResourceList& to, const ResourceList& more) {
  for (const auto& [name, amount] : more) to[name] = to[name] + amount;
}

}  // namespace manifests
