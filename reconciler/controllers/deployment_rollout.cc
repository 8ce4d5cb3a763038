#include "reconciler/controllers/deployment_rollout.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <tuple>

#include "reconciler/names.h"

namespace reconciler {
namespace {

constexpr int64_t kMostReplicas = INT32_MAX;

// 3, or "25%" of `whole`.
int64_t Amount(base::Value value, int64_t whole, bool round_up) {
  if (!value.IsString()) return std::clamp<int64_t>(value.AsInt(), 0, kMostReplicas);
  const std::string_view text = value.AsString();
  int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  percent = std::clamp<int64_t>(percent, 0, kMostReplicas);
  return std::min((whole * percent + (round_up ? 99 : 0)) / 100, kMostReplicas);
}

int64_t Total(const std::vector<SetSize>& sets) {
  return std::accumulate(sets.begin(), sets.end(), int64_t{0},
                         [](int64_t sum, const SetSize& set) { return sum + set.replicas; });
}

// How much one set grows (or shrinks, if negative) to keep its share of the whole.
int64_t ShareOf(const RolloutLimits& limits, const SetSize& set, int64_t status_replicas) {
  if (limits.replicas == 0) return -set.replicas;
  const int64_t before =
      set.max_before > 0 ? set.max_before : std::max<int64_t>(status_replicas, 1);
  const double size = static_cast<double>(set.replicas) * static_cast<double>(limits.most()) /
                      static_cast<double>(before);
  return std::llround(size) - set.replicas;
}

}  // namespace

RolloutLimits LimitsOf(base::Value spec) {
  RolloutLimits limits;
  limits.replicas = spec["replicas"].AsInt(1);
  const base::Value strategy = spec["strategy"];
  limits.rolling = strategy["type"].AsString("RollingUpdate") == "RollingUpdate";
  if (!limits.rolling) return limits;
  limits.max_surge = Amount(strategy["rollingUpdate"]["maxSurge"], limits.replicas, true);
  limits.max_unavailable =
      Amount(strategy["rollingUpdate"]["maxUnavailable"], limits.replicas, false);
  if (limits.max_surge == 0 && limits.max_unavailable == 0) limits.max_unavailable = 1;
  limits.max_unavailable = std::min(limits.max_unavailable, limits.replicas);
  return limits;
}

int64_t AvailableOf(const state::Object& set) {
  // The status may still count pods that the spec no longer asks for: they are as good as gone.
  return std::min(set["status"]["availableReplicas"].AsInt(), set["spec"]["replicas"].AsInt(1));
}

int64_t NewSetSize(const RolloutLimits& limits, int64_t current, int64_t total) {
  if (!limits.rolling || current >= limits.replicas) return limits.replicas;
  const int64_t room = std::max<int64_t>(limits.most() - total, 0);
  return current + std::min(room, limits.replicas - current);
}

std::vector<int64_t> OldSetSizes(const RolloutLimits& limits, const SetSize& new_set,
                                 const std::vector<SetSize>& old_sets) {
  std::vector<int64_t> sizes;
  for (const SetSize& set : old_sets) sizes.push_back(set.replicas);
  const int64_t total = new_set.replicas + Total(old_sets);
  // Pods of the new set that are not there yet must not be counted on.
  int64_t room = total - limits.least() - (new_set.replicas - new_set.available);
  if (room <= 0) return sizes;

  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t unhealthy = std::min(sizes[i] - old_sets[i].available, room);
    sizes[i] -= unhealthy;
    room -= unhealthy;
  }
  // Room that is left now is what is available beyond least().
  for (int64_t& size : sizes) {
    const int64_t less = std::min(size, room);
    size -= less;
    room -= less;
  }
  return sizes;
}

std::vector<int64_t> ProportionalSizes(const RolloutLimits& limits, int64_t status_replicas,
                                       const std::vector<SetSize>& sets) {
  std::vector<int64_t> sizes;
  for (const SetSize& set : sets) sizes.push_back(set.replicas);
  const int64_t to_add = (limits.replicas > 0 ? limits.most() : 0) - Total(sets);
  if (to_add == 0 || sets.empty()) return sizes;

  // The largest first; of equal ones the newest grows first, and the oldest shrinks first.
  std::vector<size_t> order(sets.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto rank = [&](size_t i) {
      return std::tuple(-sets[i].replicas, to_add > 0 ? -sets[i].age_rank : sets[i].age_rank);
    };
    return rank(a) < rank(b);
  });
  int64_t added = 0;
  for (const size_t i : order) {
    if (sets[i].replicas == 0) continue;
    const int64_t share = ShareOf(limits, sets[i], status_replicas);
    const int64_t rest = to_add - added;
    const int64_t change = to_add > 0 ? std::min(share, rest) : std::max(share, rest);
    sizes[i] += change;
    added += change;
  }
  int64_t& largest = sizes[order.front()];
  largest = std::max<int64_t>(largest + to_add - added, 0);
  return sizes;
}

base::Json PlainTemplate(base::Value pod_template) {
  base::Json plain = pod_template.ToJson();
  if (base::Json* metadata = plain.Find("metadata")) {
    metadata->Remove("creationTimestamp");
    if (base::Json* labels = metadata->Find("labels")) labels->Remove(kTemplateHashLabel);
  }
  return plain;
}

std::string TemplateHash(const base::Json& plain_template, int64_t collisions) {
  std::string content = plain_template.ToString();
  if (collisions > 0) content += '\n' + std::to_string(collisions);
  return NameHash(content, kMaxNameHash);
}

int64_t AnnotationNumber(const state::Object& object, std::string_view annotation) {
  const std::string_view text = object.Meta("annotations")[annotation].AsString();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace reconciler
