// LimitRange: defaults for containers that set no requests or limits, then bounds for containers
// and whole pods, of the amounts and of limit over request. A default request is `defaultRequest`,
// or else the limit; a default limit is `default`.
#include "manifests/kinds/pod_resources.h"
#include "state/admission/admission.h"

namespace state {
namespace {

using manifests::PodResources;
using manifests::ResourceList;

manifests::Quantity Amount(const base::Json& value) {
  const base::Result<manifests::Quantity> parsed = manifests::Quantity::Parse(value.AsString());
  return parsed.ok() ? *parsed : manifests::Quantity();
}

void Default(base::Json& container, std::string_view field, base::Value defaults) {
  for (const auto& [name, amount] : defaults.Members()) {
    base::Json& list = container["resources"][field];
    if (!list.Has(name)) list.Set(name, amount.AsString());
  }
}

void ApplyContainerDefaults(base::Json& container, base::Value limit) {
  if (!container.IsObject()) return;
  Default(container, "limits", limit["default"]);
  Default(container, "requests", limit["defaultRequest"]);
  // A limit without a request is a request, too.
  const base::Json limits = std::as_const(container)["resources"]["limits"];
  for (const base::Json::Member& member : limits.Members()) {
    base::Json& requests = container["resources"]["requests"];
    if (!requests.Has(member.key)) requests.Set(member.key, member.value);
  }
}

base::Status Violation(const AdmissionRequest& request, const std::string& what) {
  return base::Status(base::Code::kForbidden,
                      "pods \"" + request.key.name + "\" is forbidden: " + what);
}

base::Status CheckBounds(const AdmissionRequest& request, const std::string& who,
                         const ResourceList& requests, const ResourceList& limits,
                         base::Value limit) {
  for (const auto& [name, least] : limit["min"].Members()) {
    const auto it = requests.find(name);
    if (it == requests.end() || it->second < manifests::Quantity::Of(least)) {
      return Violation(request, who + " must request at least " + std::string(least.AsString()) +
                                    " of " + std::string(name));
    }
  }
  for (const auto& [name, most] : limit["max"].Members()) {
    const auto it = limits.find(name);
    if (it == limits.end() || it->second > manifests::Quantity::Of(most)) {
      return Violation(request, who + " must have a limit of at most " +
                                    std::string(most.AsString()) + " of " + std::string(name));
    }
  }
  for (const auto& [name, most] : limit["maxLimitRequestRatio"].Members()) {
    const auto asked = requests.find(name);
    const auto allowed = limits.find(name);
    const int64_t ratio = manifests::Quantity::Of(most).MilliValue();
    if (asked != requests.end() && allowed != limits.end() && !asked->second.IsZero() &&
        allowed->second * 1000 <= asked->second * ratio) {
      continue;
    }
    return Violation(request, who + " must have a request and a limit of " + std::string(name) +
                                  ", the limit at most " + std::string(most.AsString()) +
                                  " times the request");
  }
  return base::Status();
}

ResourceList ContainerList(const base::Json& container, std::string_view field) {
  ResourceList list;
  for (const base::Json::Member& member : container["resources"][field].Members()) {
    list[member.key] = Amount(member.value);
  }
  return list;
}

}  // namespace

base::Status AdmitLimitRange(AdmissionRequest& request) {
  if (request.key.resource != "pods" || request.old != nullptr ||
      !request.object["spec"].IsObject()) {
    return base::Status();
  }
  base::Json& spec = request.object["spec"];
  for (const ObjectPtr& range : request.view.List("limitranges", request.key.ns)) {
    for (base::Value limit : (*range)["spec"]["limits"].Elements()) {
      const bool per_container = limit["type"].AsString() == "Container";
      for (const char* field : {"containers", "initContainers"}) {
        base::Json* containers = per_container ? spec.Find(field) : nullptr;
        if (containers == nullptr || !containers->IsArray()) continue;
        for (base::Json& container : containers->MutableElements()) {
          ApplyContainerDefaults(container, limit);
          const base::Json& defaulted = container;
          RETURN_IF_ERROR(CheckBounds(
              request, "container " + std::string(defaulted["name"].AsString()),
              ContainerList(defaulted, "requests"), ContainerList(defaulted, "limits"), limit));
        }
      }
      if (limit["type"].AsString() == "Pod") {
        RETURN_IF_ERROR(CheckBounds(request, "the pod",
                                    PodResources(std::as_const(spec), "requests"),
                                    PodResources(std::as_const(spec), "limits"), limit));
      }
    }
  }
  return base::Status();
}

}  // namespace state
