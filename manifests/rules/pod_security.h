// Pod security: what a namespace's pods may ask of their node, as Kubernetes' Pod Security
// Standards have it: three levels, each as of a version of Kubernetes.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifests/validate.h"

namespace manifests {

enum class PodSecurityLevel { kPrivileged, kBaseline, kRestricted };  // from nothing to all

inline constexpr int kLatestPodSecurity = 1000;  // more than any version's

struct PodSecurityPolicy {
  PodSecurityLevel level = PodSecurityLevel::kPrivileged;
  int minor = kLatestPodSecurity;  // of Kubernetes v1.MINOR
  bool operator==(const PodSecurityPolicy&) const = default;
};

// "baseline:latest", "restricted:v1.24"; and the parts of it. Nothing for what is none.
std::string ToString(const PodSecurityPolicy& policy);
std::optional<PodSecurityLevel> ParsePodSecurityLevel(std::string_view text);
std::optional<int> ParsePodSecurityVersion(std::string_view text);

// What the policy forbids of a pod, or of a template {metadata, spec}, at `path`: "" for a Pod,
// "spec.template".
std::vector<Problem> CheckPodSecurity(const base::Json& pod, std::string_view path,
                                      const PodSecurityPolicy& policy);

}  // namespace manifests
