// What Kubernetes fills in for pods beyond fixed values:
// - an image without a tag, or with the tag latest, is pulled always, any other if it is missing;
// - a volume without a source is an emptyDir;
// - a probe's threshold or period of 0 means the default;
// - serviceAccount, an old name, mirrors serviceAccountName.
// And for Pods themselves, not for templates: requests from limits, host ports on the host's
// network, the service account "default", and five minutes of patience with a node that is away.
#include "manifests/rules/edit.h"
#include "manifests/rules/pod.h"

namespace manifests {
namespace {

using base::Json;

constexpr int64_t kNodeAwayTolerationSeconds = 300;

// "latest" if none is written; empty if only a digest is.
std::string_view TagOf(std::string_view image) {
  const size_t at = image.find('@');
  const bool has_digest = at != std::string_view::npos;
  image = image.substr(0, at);
  const size_t slash = image.rfind('/');
  const size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) return image.substr(colon + 1);
  return has_digest ? std::string_view() : std::string_view("latest");
}

void DefaultProbe(Json& container, std::string_view name) {
  Json* probe = ObjectAt(container, name);
  if (probe == nullptr) return;
  constexpr std::pair<std::string_view, int64_t> kIfZero[] = {{"timeoutSeconds", 1},
                                                              {"periodSeconds", 10},
                                                              {"successThreshold", 1},
                                                              {"failureThreshold", 3}};
  for (const auto& [field, value] : kIfZero) {
    Json* number = probe->Find(field);
    if (number != nullptr && number->IsInt() && number->AsInt() == 0) *number = value;
  }
}

void DefaultContainer(Json& container) {
  const std::string_view image = std::as_const(container)["image"].AsString();
  if (std::as_const(container)["imagePullPolicy"].AsString().empty() && !image.empty()) {
    const bool always = TagOf(image) == "latest";
    container.Set("imagePullPolicy", always ? "Always" : "IfNotPresent");
  }
  for (const std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    DefaultProbe(container, probe);
  }
}

void DefaultVolume(Json& volume) {
  // Its name is all it has.
  for (const auto& [key, value] : volume.Members()) {
    if (key != "name" && !value.IsNull()) return;
  }
  volume.Set("emptyDir", Json::MakeObject());
}

void RequestsFromLimits(Json& container) {
  Json* resources = ObjectAt(container, "resources");
  Json* limits = resources ? ObjectAt(*resources, "limits") : nullptr;
  if (limits == nullptr || limits->empty()) return;
  SetIfAbsent(*resources, "requests", Json::MakeObject());
  // Setting may have moved the members.
  limits = ObjectAt(*resources, "limits");
  Json* requests = ObjectAt(*resources, "requests");
  if (requests == nullptr) return;
  for (const auto& [name, limit] : limits->Members()) SetIfAbsent(*requests, name, limit);
}

void HostPorts(Json& container) {
  ForEachObject(container, "ports", [](Json& port) {
    const Json number = std::as_const(port)["containerPort"];
    if (number.IsInt() && std::as_const(port)["hostPort"].AsInt() == 0) {
      port.Set("hostPort", number);
    }
  });
}

// A pod that says nothing of such taints stays for a while when its node goes away.
void TolerateNodeAway(Json& spec) {
  for (const std::string_view key :
       {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    bool said = false;
    for (const Json& toleration : std::as_const(spec)["tolerations"].Elements()) {
      const std::string_view its_key = toleration["key"].AsString();
      const std::string_view effect = toleration["effect"].AsString();
      said = said ||
             ((its_key.empty() || its_key == key) && (effect.empty() || effect == "NoExecute"));
    }
    Json* list = spec.Find("tolerations");
    if (said || (list != nullptr && !list->IsNull() && !list->IsArray())) continue;
    spec["tolerations"].Append(
        Json::MakeObject({{"key", key},
                          {"operator", "Exists"},
                          {"effect", "NoExecute"},
                          {"tolerationSeconds", kNodeAwayTolerationSeconds}}));
  }
}

}  // namespace

void DefaultPodSpec(Json& spec) {
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    ForEachObject(spec, list, DefaultContainer);
  }
  ForEachObject(spec, "volumes", DefaultVolume);
  const Json& name = std::as_const(spec)["serviceAccountName"];
  const Json& old_name = std::as_const(spec)["serviceAccount"];
  if (!name.AsString().empty()) {
    spec.Set("serviceAccount", name);
  } else if (!old_name.AsString().empty()) {
    spec.Set("serviceAccountName", old_name);
  }
}

void DefaultPod(Json& object) {
  Json* spec = ObjectAt(object, "spec");
  if (spec == nullptr) return;
  const bool named = !std::as_const(*spec)["serviceAccountName"].AsString().empty() ||
                     !std::as_const(*spec)["serviceAccount"].AsString().empty();
  if (!named) SetIfAbsent(*spec, "serviceAccountName", "default");
  DefaultPodSpec(*spec);
  SetIfAbsent(*spec, "enableServiceLinks", true);
  const bool host_network = std::as_const(*spec)["hostNetwork"].AsBool();
  for (const std::string_view list : {"initContainers", "containers"}) {
    ForEachObject(*spec, list, [&](Json& container) {
      RequestsFromLimits(container);
      if (host_network) HostPorts(container);
    });
  }
  TolerateNodeAway(*spec);
}

}  // namespace manifests
