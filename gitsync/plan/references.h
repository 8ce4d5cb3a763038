// What a workload's pods cannot start without: the Secrets, ConfigMaps and ServiceAccounts that its
// template names. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "state/view.h"

namespace gitsync {

struct Reference {
  std::string resource;  // "secrets", "configmaps", "serviceaccounts"
  std::string name;
  std::string key;    // an entry of its data that must be there; may be empty
  std::string field;  // that makes the reference
  base::Mark mark;
};

// The pod spec of a Pod or of a workload's template; null if it has none.
const base::Json& PodSpecOf(const base::Json& object, std::string* path = nullptr);

// Those that are not optional, in the order of the text.
std::vector<Reference> ReferencesOf(const base::Json& object);

// Why `reference` from namespace `ns` would not resolve in `view`; empty if it would.
std::string Unresolved(const Reference& reference, const std::string& ns, const state::View& view);

}  // namespace gitsync
