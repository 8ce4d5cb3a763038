// What of a commit its pusher's role does not allow. Pure.
//
// A push does no more than its pusher could do at the API: whoever may not create Secrets there
// does not by pushing them. What is applied later (a retry, drift, a sync) is plumb's own act.
#pragma once

#include <vector>

#include "base/identity.h"
#include "gitsync/plan/application.h"
#include "gitsync/render/source_sets.h"
#include "gitsync/source/source_error.h"
#include "state/view.h"

namespace gitsync {

// `applications`: all of the source, with what is known of their state; suspended ones, too, since
// what is pushed now is applied when they go on.
std::vector<SourceError> DeniedTo(const base::Identity& pusher, const state::View& view,
                                  const std::vector<Application>& applications,
                                  const SourceSets& sets);

}  // namespace gitsync
