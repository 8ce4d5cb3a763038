// One of plumb's own records of a repository: plumb status tells of the repository instead. It has
// an entry for each of its objects, of which there may be 100,000.
#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kInventoryFacts = {
    .resource = "inventories.plumb.dev",
    .max_bytes = 16u << 20,
    .judged = false,
};

}  // namespace manifests
