// The table of people's tools follows from how their requests name themselves: kubectl says which
// of its commands it is ("kubectl-edit"), a browser's console what its user agent begins with. What
// any other manager holds is its own to keep: a controller, an autoscaler, a helm release.
#include "gitsync/plan/by_hand.h"

#include <algorithm>
#include <array>
#include <vector>

namespace gitsync {
namespace {

using manifests::FieldSet;

constexpr std::array<std::string_view, 7> kPeoplesTools = {
    "kubectl", "k9s", "Lens", "OpenLens", "Headlamp", "dashboard", "Mozilla"};
// Whoever it was, it was before anybody's fields were kept.
constexpr std::string_view kBeforeFirstApply = "before-first-apply";

const FieldSet& RestartedAt() {
  static const FieldSet fields =  // the map, too, which kubectl may have begun
      OneField({"f:spec", "f:template", "f:metadata", "f:annotations"})
          .Union(OneField({"f:spec", "f:template", "f:metadata", "f:annotations",
                           "f:kubectl.kubernetes.io/restartedAt"}));
  return fields;
}

}  // namespace

FieldSet OneField(const std::vector<std::string_view>& path) {
  FieldSet below;
  for (auto element = path.rbegin(); element != path.rend(); ++element) {
    FieldSet::Builder level;
    level.Add(std::string(*element), element == path.rbegin(), std::move(below));
    below = level.Build();
  }
  return below;
}

bool IsPeoplesTool(std::string_view manager) {
  if (manager == kBeforeFirstApply) return true;
  return std::any_of(kPeoplesTools.begin(), kPeoplesTools.end(), [&](std::string_view tool) {
    return manager.starts_with(tool) &&
           (manager.size() == tool.size() || manager[tool.size()] == '-');
  });
}

FieldSet ChangedByHand(const state::Object& live, const FieldSet& named) {
  FieldSet by_people, by_others;
  if (live.managers == nullptr) return FieldSet();
  for (const manifests::ManagedEntry& entry : *live.managers) {
    const manifests::FieldManager& manager = *entry.manager;
    const bool by_hand = manager.subresource.empty() && IsPeoplesTool(manager.name);
    FieldSet& side = by_hand ? by_people : by_others;
    if (by_hand || manager.name != kFieldManager) side = side.Union(*entry.fields);
  }
  if (by_people.empty()) return by_people;
  return by_people.Difference(by_others).Difference(named).Difference(RestartedAt());
}

manifests::FieldSetPtr AppliedFields(const state::Object& live) {
  if (live.managers == nullptr) return nullptr;
  for (const manifests::ManagedEntry& entry : *live.managers) {
    if (entry.manager->applies && entry.manager->name == kFieldManager &&
        entry.manager->subresource.empty()) {
      return entry.fields;
    }
  }
  return nullptr;
}

}  // namespace gitsync
