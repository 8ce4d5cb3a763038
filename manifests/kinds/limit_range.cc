#include "manifests/kinds/kind_facts.h"

namespace manifests {
extern constinit const KindFacts kLimitRangeFacts = {
    .resource = "limitranges",
    .settled = true,
    .rules_namespace = true,
};

}  // namespace manifests
