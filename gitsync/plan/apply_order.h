// In which order objects are applied: by wave, then by kind (manifests/kinds/all.cc), then by key.
// Pure.
#pragma once

#include <string_view>
#include <vector>

#include "gitsync/render/manifest_set.h"
#include "gitsync/source/source_error.h"

namespace gitsync {

inline constexpr std::string_view kWaveAnnotation = "plumb.dev/wave";
inline constexpr std::string_view kArgoWaveAnnotation = "argocd.argoproj.io/sync-wave";

using Wave = std::vector<const Manifest*>;

// `manifests`, in waves; at least one, if it is empty. A Namespace is never in a later wave than
// what lies in it. A wave that is no number is an error.
std::vector<Wave> WavesOf(const std::vector<const Manifest*>& manifests,
                          std::vector<SourceError>& errors);

}  // namespace gitsync
