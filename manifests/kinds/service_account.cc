#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

base::Json SecretCount(base::Value account, base::WallTime) {
  return static_cast<int64_t>(account["secrets"].size());
}

constexpr NamedCell kCells[] = {{"secretCount", SecretCount}};

}  // namespace

extern constinit const KindFacts kServiceAccountFacts = {
    .resource = "serviceaccounts",
    .settled = true,
    .named = true,
    .cells = kCells,
};

}  // namespace manifests
