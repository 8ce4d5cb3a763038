// A node's share of the cluster's pod addresses is given by the controller (node-address), and by
// nobody else: two nodes with one range, or one with a range of other people's, would turn packets
// away from where they go. As in Kubernetes a range that was given stays.
#include <utility>

#include "state/admission/admission.h"
#include "state/admission/node_restriction.h"

namespace state {

base::Status AdmitPodRange(AdmissionRequest& request) {
  if (request.key.resource != "nodes") return base::Status();
  const ActorPtr& actor = request.context.actor;
  // Nobody: what a store replays, and fixtures. Git is plumb's hand, and not its will.
  const bool plumb = actor == nullptr || (actor->program && actor->manager != "plumb-gitsync");
  if (plumb) return base::Status();
  const base::Json none = base::Json::MakeObject();
  const base::Json old = request.old == nullptr ? none : request.old->document.ToJson();
  for (const char* field : {"podCIDR", "podCIDRs"}) {
    const base::Json& was = std::as_const(old)["spec"][field];
    const base::Json& is = std::as_const(request.object)["spec"][field];
    if (SameField(was, is)) continue;
    return base::Status(base::Code::kForbidden,
                        "nodes \"" + request.key.name + "\" is forbidden: spec." + field +
                            ": Forbidden: plumb gives each node its range; leave it as it is");
  }
  return base::Status();
}

}  // namespace state
