// Cluster objects: the namespaces that the cluster lives in and the Service of its API come back
// when they are gone; the Service's endpoint is also put back when it was changed.
#include "reconciler/cluster_objects.h"

#include "reconciler/controllers/all.h"

namespace reconciler {
namespace {

class ClusterObjectsController final : public Controller {
 public:
  std::string_view name() const override { return "cluster-objects"; }

  void Affects(const state::Change& change, const state::View&,
               const Enqueue& enqueue) const override {
    // In a store that lacks one, any namespace calls for all of them.
    const bool first_look = change.created() && change.key().resource == "namespaces";
    const bool changed = !change.created() && IsClusterObject(change.key());
    const bool endpoint = change.key() == ApiEndpointKey();
    if (first_look || (changed && !endpoint)) enqueue(state::Key{"namespaces", "", ""});
    if (first_look || (changed && endpoint)) enqueue(ApiEndpointKey());
  }

  // The endpoint has a turn of its own: what keeps it from being written keeps nothing else.
  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    return key == ApiEndpointKey() ? EnsureApiEndpoint(turn.draft())
                                   : EnsureClusterObjects(turn.draft());
  }
};

}  // namespace

std::unique_ptr<Controller> NewClusterObjectsController(const ControllerSettings&) {
  return std::make_unique<ClusterObjectsController>();
}

}  // namespace reconciler
