// The cells of kubectl's tables: how their texts are made, and those that any kind may have. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/kinds/kind_facts.h"

namespace manifests {

inline constexpr std::string_view kNoneCell = "<none>";

// =dataCount, =labelSelector, =readyMessage, =readyStatus, =templateContainers, =templateImages
std::span<const NamedCell> SharedCells();

// "a,b"
std::string JoinCell(const std::vector<std::string>& parts, std::string_view separator = ",");
// "a,b,c + 2 more..."; "<unset>" if there are none.
std::string FirstOfCell(std::vector<std::string> all);
// "app=web,tier=front", as a map of labels says.
std::string LabelsCell(base::Value labels);
std::string LowerCase(std::string_view text);  // of kinds: "replicaset"
// "<none>" for an empty text.
std::string OrNone(std::string text);

// The age that kubectl shows: 5s, 3m10s, 25m, 2h5m, 3d4h, 90d, 2y45d, 9y. Two units while the first
// is small, then one.
std::string HumanDuration(base::Duration age);

// HumanDuration since an RFC 3339 time; "<unknown>" if `time` is none.
std::string AgeOf(std::string_view time, base::WallTime now);

// The addresses that status.loadBalancer.ingress has, sorted.
std::vector<std::string> LoadBalancerAddresses(base::Value object);

}  // namespace manifests
