// One of plumb's own records of a repository: plumb status tells of the repository instead.
#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kInventoryFacts = {
    .resource = "inventories.plumb.dev",
    .judged = false,
};

}  // namespace manifests
