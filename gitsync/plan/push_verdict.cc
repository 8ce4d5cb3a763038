#include "gitsync/plan/push_verdict.h"

#include <algorithm>
#include <utility>

#include "gitsync/plan/repository.h"

namespace gitsync {

using base::Code;

namespace {

// The applications that judge a push, as `view` has them; of the others, why they do not.
base::Result<std::vector<Application>> Judges(const state::View& view,
                                              const std::vector<Application>& known,
                                              std::vector<std::string>& left_out) {
  std::vector<Application> judges, suspended;
  base::Status invalid;
  for (const Application& each : known) {
    base::Result<Application> state = ReadState(view, each);
    if (!state.ok()) {
      if (invalid.ok()) invalid = state.status();
      left_out.push_back("application " + each.name +
                         " is left as it is: " + std::string(state.status().message()));
    } else {
      (state->settings.suspended ? suspended : judges).push_back(*std::move(state));
    }
  }
  if (judges.empty() && suspended.empty() && !invalid.ok()) return invalid;
  if (judges.empty()) return suspended;
  for (const Application& each : suspended) {
    left_out.push_back("application " + each.name + " is left as it is: it is suspended");
  }
  return judges;
}

// What one of them has applied, the source may go back to.
void ShareTree(const std::string& tree, std::vector<Application>& applications) {
  const auto has_applied = [&](const Application& each) { return each.HasApplied(tree); };
  if (!std::any_of(applications.begin(), applications.end(), has_applied)) return;
  for (Application& each : applications) each.applied_trees.push_back(tree);
}

}  // namespace

base::Result<Application> ReadState(const state::View& view, const Application& known) {
  ASSIGN_OR_RETURN(Application state, ReadApplication(view, known.name));
  state.inventory = ReadInventory(view, *view.schema(), known.name, known.inventory);
  state.applied = known.applied;
  state.unsure = known.unsure;
  return state;
}

Parts PartsOf(const state::View& view, const std::vector<Application>& known) {
  Parts parts;
  for (const Application& each : known) {
    const auto state = ReadApplication(view, each.name);
    if (state.ok()) {
      parts.parts.push_back(Part{each.name, state->settings.path, state->settings.scope});
    } else if (state.status().code() == Code::kInvalid) {
      parts.unclear.insert(each.name);
    }
  }
  return parts;
}

size_t PushVerdict::errors() const {
  const bool none_goes_on = std::all_of(applications.begin(), applications.end(),
                                        [](const One& one) { return one.missing; });
  size_t errors = 0;
  for (const One& one : applications) {
    if (none_goes_on || !one.missing) errors += one.plan.errors.size();
  }
  return errors;
}

base::Result<PushVerdict> JudgePush(const state::View& view, const std::vector<Application>& known,
                                    std::shared_ptr<const SourceSets> sets,
                                    const PushOptions& options, const ContextOf& context) {
  PushVerdict verdict;
  verdict.at = view.revision();
  ASSIGN_OR_RETURN(std::vector<Application> judges, Judges(view, known, verdict.left_out));
  if (!judges.empty()) ShareTree(sets->sets.at(judges.front().name)->tree, judges);
  for (Application& each : judges) {
    const ManifestSet& set = *sets->sets.at(each.name);
    SyncPlan plan = PlanSync(view, each, set, options, context(each.name), *sets);
    verdict.applications.push_back({std::move(each), std::move(plan), set.missing});
  }
  verdict.sets = std::move(sets);
  return verdict;
}

}  // namespace gitsync
