#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kConfigMapFacts = {
    .resource = "configmaps",
    .settled = true,
    .named = true,
    .held_by = HeldBy::kItsReaders,
    .short_quota = true,
};

}  // namespace manifests
