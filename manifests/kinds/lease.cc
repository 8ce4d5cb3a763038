#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kLeaseFacts = {
    .resource = "leases.coordination.k8s.io",
    .settled = true,
};

}  // namespace manifests
