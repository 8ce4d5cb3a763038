// Cluster objects: the namespaces that the cluster lives in and the Service of its API come back
// when they are gone.
#include "reconciler/cluster_objects.h"

#include "reconciler/controllers/all.h"

namespace reconciler {
namespace {

class ClusterObjectsController final : public Controller {
 public:
  std::string_view name() const override { return "cluster-objects"; }

  void Affects(const state::Change& change, const state::View&,
               const Enqueue& enqueue) const override {
    // One key stands for all of them. In a store that lacks one, any namespace calls for it.
    const bool first_look = change.created() && change.key().resource == "namespaces";
    if (first_look || (change.removed && IsClusterObject(change.key())))
      enqueue(state::Key{"namespaces", "", ""});
  }

  base::Status Reconcile(Turn& turn, const state::Key&) const override {
    return EnsureClusterObjects(turn.draft());
  }
};

}  // namespace

std::unique_ptr<Controller> NewClusterObjectsController(const ControllerSettings&) {
  return std::make_unique<ClusterObjectsController>();
}

}  // namespace reconciler
