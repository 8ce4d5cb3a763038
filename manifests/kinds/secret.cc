#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kSecretFacts = {
    .resource = "secrets",
    .settled = true,
    .named = true,
    .held_by = HeldBy::kItsReaders,
    .short_quota = true,
};

}  // namespace manifests
