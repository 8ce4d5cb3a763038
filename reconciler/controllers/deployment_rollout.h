// The arithmetic of a Deployment: how many pods each of its ReplicaSets is to have, which template
// is which, and what the status says. Pure; controllers/deployment.cc reads and writes the objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "state/object.h"

namespace reconciler {

inline constexpr std::string_view kTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kRevisionAnnotation = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistoryAnnotation =
    "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesiredAnnotation = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMaxAnnotation = "deployment.kubernetes.io/max-replicas";

// What a Deployment's spec allows.
struct RolloutLimits {
  int64_t replicas = 1;
  int64_t max_surge = 0;        // pods above `replicas`
  int64_t max_unavailable = 0;  // pods below it
  bool rolling = true;
  int64_t most() const { return replicas + max_surge; }
  int64_t least() const { return replicas - max_unavailable; }
};
// Percentages are of spec.replicas: maxSurge rounded up, maxUnavailable down. Should both come to
// 0, one pod may be unavailable, or nothing could ever move.
RolloutLimits LimitsOf(base::Value deployment_spec);

// A ReplicaSet in numbers.
struct SetSize {
  int64_t replicas = 0;    // asked for
  int64_t available = 0;   // of those
  int64_t max_before = 0;  // what most() was when it was sized last; 0 if unknown
  int64_t age_rank = 0;    // 0 for the oldest
  bool operator==(const SetSize&) const = default;
};

// Pods that count as available. The one place where a rollout learns it: it never takes away more
// than this leaves room for.
int64_t AvailableOf(const state::Object& replica_set);

// The next size of the new set, which has `current`, when all sets together have `total`.
int64_t NewSetSize(const RolloutLimits& limits, int64_t current, int64_t total);

// The next sizes of the old sets, oldest first. Pods that are not available go first, since nothing
// is lost with them; then as many others as least() allows.
std::vector<int64_t> OldSetSizes(const RolloutLimits& limits, const SetSize& new_set,
                                 const std::vector<SetSize>& old_sets);

// The sizes of all sets after spec.replicas changed amid a rollout: what is to be added or taken
// away is shared by size, and what rounding leaves over goes to the largest.
std::vector<int64_t> ProportionalSizes(const RolloutLimits& limits, int64_t status_replicas,
                                       const std::vector<SetSize>& sets);

// The template without what the ReplicaSet adds to it: equal for equal pods.
base::Json PlainTemplate(base::Value pod_template);
std::string TemplateHash(const base::Json& plain_template, int64_t collisions);

int64_t AnnotationNumber(const state::Object& object, std::string_view annotation);  // 0: none

}  // namespace reconciler
