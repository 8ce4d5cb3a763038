// What a push comes to, for the applications of its source. Pure.
//
// Each may refuse it. Those that nothing is applied for (suspended, or their settings cannot be
// acted on) are left out, unless all of them are. A path that the commit lacks refuses the push
// only if no application goes on: otherwise it is the failure of its application alone.
//
// The pusher's role bounds them all (pusher_role.h), whatever was applied before: a way back is no
// way to more rights.
//
// They are judged in the order of spec.dependsOn, each on the state that those it depends on would
// leave: what the push brings with them is there by then. Those without relation do not see each
// other, since nobody can say which is applied first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/identity.h"
#include "base/status.h"
#include "gitsync/plan/plan.h"
#include "gitsync/render/source_sets.h"

namespace gitsync {

struct PushVerdict {
  struct One {
    Application application;
    SyncPlan plan;
    bool missing = false;   // its path, of which it fails alone
    bool foreseen = false;  // the plan rests on what is not there yet: it is made again when it is
  };
  state::Revision at = 0;  // of the View that it was made from
  std::shared_ptr<const SourceSets> sets;
  std::vector<One> applications;                // those that others depend on before these
  std::map<std::string, std::string> left_out;  // applications, and a sentence each
  std::vector<SourceError> denied;              // by the role of whoever pushes

  size_t errors() const;  // that refuse the push
};

// What an application's plan writes, it writes by the context that `context` gives for its name.
using ContextOf = std::function<state::DraftContext(const std::string& application)>;

// `known`: the applications that judge, as ReadState takes them; `sets` has those of all of the
// source. If none can be read, why the first cannot.
base::Result<PushVerdict> JudgePush(const state::View& view, const std::vector<Application>& known,
                                    std::shared_ptr<const SourceSets> sets,
                                    const base::Identity& pusher, const PushOptions& options,
                                    const ContextOf& context);

// `known` brought up to `view`.
base::Result<Application> ReadState(const state::View& view, const Application& known);

// What each of `applications` takes of a commit.
Parts PartsOf(const state::View& view, const std::set<std::string>& applications);

}  // namespace gitsync
