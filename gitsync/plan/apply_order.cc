#include "gitsync/plan/apply_order.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "manifests/kinds/kind_facts.h"

namespace gitsync {
namespace {

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
      return manifests::RankOf(a->key.resource) < manifests::RankOf(b->key.resource);
    });
    ordered.push_back(std::move(wave));
  }
  return ordered;
}

}  // namespace gitsync
