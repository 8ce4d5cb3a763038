// What the schema cannot say about a kind: its rules, each a pure function over whole objects.
//
// They run on what users wrote, so any value may be missing or of the wrong type: the schema's part
// reports that, a rule just finds nothing to say. Defaults must be idempotent.
#pragma once

#include <string_view>

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

struct KindRules {
  std::string_view resource;                                // Kind::Resource()
  void (*check)(const base::Json& object, Report& report);  // null: nothing to check
  void (*check_update)(const base::Json& before, const base::Json& after,
                       Report& report);        // or null
  void (*apply_defaults)(base::Json& object);  // after the schema's; or null
};

// Null if the kind has no rules.
const KindRules* FindRules(std::string_view resource);

}  // namespace manifests
