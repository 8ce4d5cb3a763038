// DiffReport: what a push would change, object by object, fit to be shown: without what only the
// server writes, and with every value of a Secret replaced by a mask.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "gitsync/plan/plan.h"
#include "plumb/reports/text.h"
#include "state/view.h"

namespace plumb {

inline constexpr size_t kMaxDiffReportBytes = 48u << 20;

// {commit, errors: [text], warnings: [text], unchanged: 3,
//  objects: [{action, object: "deployments.apps shop/web", note, before, after}]}
// Objects that stay as they are are counted only; `before` and `after` are absent where there is
// none. Of a created object `after` is what the manifest says, without the defaults. Equal values
// of Secrets have equal masks throughout a report: "(secret 1)". kTooLarge beyond
// kMaxDiffReportBytes.
//
// With several applications each object has its "application", and so begin errors and warnings.
struct ApplicationPlan {
  std::string application;
  const gitsync::SyncPlan* plan = nullptr;
  const gitsync::ManifestSet* set = nullptr;
};
base::Result<base::Json> DiffReport(const state::View& before,
                                    const std::vector<ApplicationPlan>& plans);

// True if the push would be refused, or would change anything.
bool WouldBeRefused(const base::Json& report);
bool HasDifferences(const base::Json& report);

// For people: a header and the changed lines of each object, then the counts.
std::string DiffText(const base::Json& report, const Style& style);

}  // namespace plumb
