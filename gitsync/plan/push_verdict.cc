// An application's plan begins at the View of the push's judgement, with the changes of the plans
// before it: of those that it depends on, directly or not, and that change anything. In a cycle,
// nothing of which is ever applied, whoever comes first by name does without the others.
#include "gitsync/plan/push_verdict.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "gitsync/plan/dependencies.h"
#include "gitsync/plan/pusher_role.h"
#include "gitsync/plan/repository.h"

namespace gitsync {

using base::Code;

namespace {

// The applications that judge a push, as `view` has them; of the others, why they do not.
base::Result<std::vector<Application>> Judges(const state::View& view,
                                              const std::vector<Application>& known,
                                              std::map<std::string, std::string>& left_out) {
  std::vector<Application> judges, suspended;
  base::Status invalid;
  for (const Application& each : known) {
    base::Result<Application> state = ReadState(view, each);
    if (!state.ok()) {
      if (invalid.ok()) invalid = state.status();
      left_out[each.name] = "application " + each.name +
                            " is left as it is: " + std::string(state.status().message());
    } else {
      (state->settings.suspended ? suspended : judges).push_back(*std::move(state));
    }
  }
  if (judges.empty() && suspended.empty() && !invalid.ok()) return invalid;
  if (judges.empty()) return suspended;
  for (const Application& each : suspended) {
    left_out[each.name] = "application " + each.name + " is left as it is: it is suspended";
  }
  return judges;
}

// What one of them has applied, the source may go back to.
void ShareTree(const std::string& tree, std::vector<Application>& applications) {
  const auto has_applied = [&](const Application& each) { return each.HasApplied(tree); };
  if (!std::any_of(applications.begin(), applications.end(), has_applied)) return;
  for (Application& each : applications) each.applied_trees.push_back(tree);
}

bool Changes(const SyncPlan& plan) {
  return std::any_of(plan.results.begin(), plan.results.end(), [](const ObjectResult& result) {
    return result.action != Action::kUnchanged && result.action != Action::kSkipped;
  });
}

// Plans each application once, after those that it depends on.
class Sequence {
 public:
  using Plan = std::function<SyncPlan(const state::View& on, const Application& application)>;
  Sequence(const state::View& view, std::vector<Application> applications, const Plan& plan)
      : view_(view), plan_(plan) {
    for (Application& each : applications) {
      std::string name = each.name;
      waiting_.emplace(std::move(name), std::move(each));
    }
  }

  std::vector<PushVerdict::One> Run() {
    while (!waiting_.empty()) Visit(waiting_.begin()->first, 0);
    return std::move(planned_);
  }

 private:
  // By their places in `planned_`.
  using Places = std::set<size_t>;

  // `depth`: how many wait for it. Beyond kMaxDependencies none of them is ever applied, so that it
  // does not matter on what it is planned.
  void Visit(std::string_view wanted, size_t depth) {
    const std::string name(wanted);
    auto node = waiting_.extract(name);
    if (node.empty()) return;  // it has been, or waits for this one, or is not of the push
    Application& application = node.mapped();
    Places before;
    for (const std::string& dependency : application.settings.depends_on) {
      if (depth < kMaxDependencies) Visit(dependency, depth + 1);
      const auto known = leaves_.find(dependency);
      if (known != leaves_.end()) before.insert(known->second.begin(), known->second.end());
    }
    if (before.size() > kMaxDependencies) before.clear();
    state::View on = Foreseen(before);
    SyncPlan plan = plan_(on, application);
    Places& leaves = leaves_[name] = before;
    if (Changes(plan)) leaves.insert(planned_.size());
    planned_.push_back({.application = std::move(application),
                        .plan = std::move(plan),
                        .foreseen = !before.empty()});
    planned_on_.push_back(std::move(on));
  }

  // The last of them has seen some of the others.
  state::View Foreseen(const Places& before) const {
    if (before.empty()) return view_;
    const PushVerdict::One& last = planned_[*before.rbegin()];
    state::View on = last.plan.after;
    const Places& seen = leaves_.at(last.application.name);
    for (const size_t place : before) {
      if (!seen.contains(place)) Repeat(place, on);
    }
    return on;
  }

  // What one of them changes, on another View.
  void Repeat(size_t place, state::View& on) const {
    const SyncPlan& plan = planned_[place].plan;
    for (const ObjectResult& result : plan.results) {
      state::ObjectPtr object = plan.after.Get(result.key);
      if (object == planned_on_[place].Get(result.key)) continue;
      object == nullptr ? on.Remove(result.key) : on.Put(std::move(object));
    }
  }

  const state::View& view_;
  const Plan& plan_;
  std::map<std::string, Application> waiting_;
  std::vector<PushVerdict::One> planned_;
  std::vector<state::View> planned_on_;
  // What is different after an application: those that change something, itself among them.
  std::map<std::string, Places> leaves_;
};

}  // namespace

base::Result<Application> ReadState(const state::View& view, const Application& known) {
  ASSIGN_OR_RETURN(Application state, ReadApplication(view, known.name));
  state.inventory = ReadInventory(view, *view.schema(), known.name, known.inventory);
  state.applied = known.applied;
  state.unsure = known.unsure;
  return state;
}

Parts PartsOf(const state::View& view, const std::set<std::string>& applications) {
  Parts parts;
  for (const std::string& name : applications) {
    const auto settings = ReadSettings(view, name);
    if (settings.ok()) {
      parts.parts.push_back(Part{name, settings->path, settings->scope});
    } else if (settings.status().code() == Code::kInvalid) {
      parts.unclear.insert(name);
    }
  }
  return parts;
}

size_t PushVerdict::errors() const {
  const bool none_goes_on = std::all_of(applications.begin(), applications.end(),
                                        [](const One& one) { return one.missing; });
  size_t errors = denied.size();
  for (const One& one : applications) {
    if (none_goes_on || !one.missing) errors += one.plan.errors.size();
  }
  return errors;
}

base::Result<PushVerdict> JudgePush(const state::View& view, const std::vector<Application>& known,
                                    std::shared_ptr<const SourceSets> sets,
                                    const base::Identity& pusher, const PushOptions& options,
                                    const ContextOf& context) {
  PushVerdict verdict;
  verdict.at = view.revision();
  ASSIGN_OR_RETURN(std::vector<Application> judges, Judges(view, known, verdict.left_out));
  verdict.denied = DeniedTo(pusher, view, known, *sets);
  if (!judges.empty()) ShareTree(sets->sets.at(judges.front().name)->tree, judges);
  const Sequence::Plan plan = [&](const state::View& on, const Application& application) {
    return PlanSync(on, application, *sets->sets.at(application.name), options,
                    context(application.name), *sets);
  };
  verdict.applications = Sequence(view, std::move(judges), plan).Run();
  for (PushVerdict::One& one : verdict.applications) {
    one.missing = sets->sets.at(one.application.name)->missing;
  }
  verdict.sets = std::move(sets);
  return verdict;
}

}  // namespace gitsync
