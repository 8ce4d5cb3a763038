#include "gitsync/plan/apply_order.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace gitsync {
namespace {

// The order that Helm and Argo CD apply in.
constexpr std::string_view kKindOrder[] = {
    "namespaces",
    "networkpolicies.networking.k8s.io",
    "resourcequotas",
    "limitranges",
    "poddisruptionbudgets.policy",
    "serviceaccounts",
    "secrets",
    "configmaps",
    "storageclasses.storage.k8s.io",
    "persistentvolumes",
    "persistentvolumeclaims",
    "customresourcedefinitions.apiextensions.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "services",
    "daemonsets.apps",
    "pods",
    "replicationcontrollers",
    "replicasets.apps",
    "deployments.apps",
    "horizontalpodautoscalers.autoscaling",
    "statefulsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "ingressclasses.networking.k8s.io",
    "ingresses.networking.k8s.io",
};

int WaveOf(const Manifest& manifest, std::vector<SourceError>& errors) {
  const base::Json& annotations = (*manifest.object)["metadata"]["annotations"];
  for (const std::string_view name : {kWaveAnnotation, kArgoWaveAnnotation}) {
    const base::Json& value = annotations[name];
    if (!value.IsString()) continue;
    const std::string_view text = value.AsString();
    int wave = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), wave);
    if (code == std::errc() && end == text.data() + text.size()) return wave;
    errors.push_back(manifest.Error(
        value.mark, std::string(name) + ": a wave is a whole number in quotes, such as \"1\""));
    return 0;
  }
  return 0;
}

}  // namespace

int KindRank(std::string_view resource) {
  return static_cast<int>(std::find(std::begin(kKindOrder), std::end(kKindOrder), resource) -
                          std::begin(kKindOrder));
}

std::vector<Wave> WavesOf(const std::vector<const Manifest*>& manifests,
                          std::vector<SourceError>& errors) {
  std::vector<int> numbers;
  std::map<std::string_view, int> first_of_namespace;
  for (const Manifest* manifest : manifests) {
    const int wave = numbers.emplace_back(WaveOf(*manifest, errors));
    if (manifest->key.ns.empty()) continue;
    const auto [it, fresh] = first_of_namespace.emplace(manifest->key.ns, wave);
    it->second = std::min(it->second, wave);
  }
  std::map<int, Wave> waves;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const Manifest* manifest = manifests[i];
    const auto inside = first_of_namespace.find(manifest->key.name);
    if (manifest->key.resource == "namespaces" && inside != first_of_namespace.end()) {
      numbers[i] = std::min(numbers[i], inside->second);
    }
    waves[numbers[i]].push_back(manifest);
  }
  if (waves.empty()) waves[0];
  std::vector<Wave> ordered;
  for (auto& [number, wave] : waves) {
    std::stable_sort(wave.begin(), wave.end(), [](const Manifest* a, const Manifest* b) {
      return KindRank(a->key.resource) < KindRank(b->key.resource);
    });
    ordered.push_back(std::move(wave));
  }
  return ordered;
}

}  // namespace gitsync
