// A DaemonSet is healthy when on every node that should have one a pod is updated and available;
// with the strategy OnDelete as soon as its controller has looked at it, since then people update
// the pods. How many pods it asks for depends on the nodes.
#include "manifests/kinds/daemon_set.h"

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

Health DaemonSetHealth(base::Value set) {
  using Level = Health::Level;
  const base::Value status = set["status"];
  if (set["spec"]["updateStrategy"]["type"].AsString() == "OnDelete") {
    return {Level::kHealthy, "updated when its pods are deleted"};
  }
  const int64_t want = status["desiredNumberScheduled"].AsInt();
  const int64_t updated = status["updatedNumberScheduled"].AsInt();
  const int64_t available = status["numberAvailable"].AsInt();
  if (updated < want) return {Level::kProgressing, Share(updated, want, "updated")};
  return {available < want ? Level::kProgressing : Level::kHealthy,
          Share(available, want, "available")};
}

base::Json TemplateNodeSelector(base::Value set, base::WallTime) {
  return LabelsCell(set["spec"]["template"]["spec"]["nodeSelector"]);
}

constexpr NamedCell kCells[] = {{"templateNodeSelector", TemplateNodeSelector}};

}  // namespace

extern constinit const KindFacts kDaemonSetFacts = {
    .resource = "daemonsets.apps",
    .observed = true,
    .health = DaemonSetHealth,
    .cells = kCells,
};

}  // namespace manifests
