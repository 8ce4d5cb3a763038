// Readiness is read from the record alone: the condition Ready, and the history's newest entry,
// which says of which revision. While a deploy goes on its entry is "progressing", so that what was
// ready before is not taken for ready now.
#include "gitsync/plan/dependencies.h"

#include <algorithm>
#include <vector>

#include "gitsync/plan/repository.h"

namespace gitsync {
namespace {

using State = Dependencies::State;

std::vector<std::string> DependenciesIn(const state::View& view, const std::string& name) {
  std::vector<std::string> names;
  const state::ObjectPtr object = view.Get(KustomizationKey(name));
  if (object == nullptr) return names;
  for (const base::Value each : (*object)["spec"]["dependsOn"].Elements()) {
    names.emplace_back(each["name"].AsString());
  }
  return names;
}

// Looks for a way from an application back to itself, each application once, and no more of them
// than one may depend on.
class CycleSearch {
 public:
  CycleSearch(const state::View& view, const std::string& name) : view_(view), name_(name) {}

  // "a, b, a"; empty if there is none.
  std::string Run() { return Follow(name_) ? way_ : ""; }
  bool too_many() const { return seen_.size() > kMaxDependencies; }

 private:
  bool Follow(const std::string& from) {
    for (const std::string& next : DependenciesIn(view_, from)) {
      if (too_many()) return false;
      if (next == name_ || (seen_.insert(next).second && Follow(next))) {
        way_ = way_.empty() ? from + ", " + next : from + ", " + way_;
        return true;
      }
    }
    return false;
  }

  const state::View& view_;
  const std::string& name_;
  std::set<std::string> seen_;
  std::string way_;
};

bool IsReady(const base::Value status) {
  for (const base::Value condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() == "Ready") return condition["status"].AsString() == "True";
  }
  return false;
}

Dependencies DependencyOn(const state::View& view, const Application& application,
                          const std::string& name, const std::string& commit) {
  const std::string it = "it depends on application " + name + ", which ";
  const state::ObjectPtr object = view.Get(KustomizationKey(name));
  if (object == nullptr) {
    return {State::kFailed,
            it + "does not exist; make that Kustomization, or correct spec.dependsOn"};
  }
  const base::Value status = (*object)["status"];
  const std::vector<Deploy> history = HistoryOf(status);
  const bool same = SourceOf(*object) == application.settings.source;
  const bool current =
      !history.empty() &&
      (!same || history.front().revision == RevisionText(application.settings.branch, commit));
  if (current && history.front().phase == DeployPhase::kFailed) {
    return {State::kFailed, it + "failed" + (same ? " at this commit" : "")};
  }
  if (current && history.front().phase == DeployPhase::kHealthy && IsReady(status)) return {};
  if ((*object)["spec"]["suspend"].AsBool()) {
    return {State::kFailed, it + "is suspended"};
  }
  if (const auto state = ReadApplication(view, name); !state.ok()) {
    return {State::kFailed, it + "cannot be applied: " + std::string(state.status().message())};
  }
  return {State::kAwaited, it + "is not ready" + (same ? " at this commit" : "")};
}

}  // namespace

Dependencies DependenciesOf(const state::View& view, const Application& application,
                            const std::string& commit) {
  if (application.settings.depends_on.empty()) return {};
  CycleSearch search(view, application.name);
  if (const std::string cycle = search.Run(); !cycle.empty()) {
    return {State::kFailed, "it depends on itself (" + cycle +
                                "); take one of them out of the spec.dependsOn before it"};
  }
  if (search.too_many()) {
    return {State::kFailed, "it depends on more than " + std::to_string(kMaxDependencies) +
                                " applications, directly or not; take some out of spec.dependsOn"};
  }
  Dependencies awaited;
  for (const std::string& name : application.settings.depends_on) {
    Dependencies one = DependencyOn(view, application, name, commit);
    if (one.state == State::kFailed) return one;
    if (awaited.state == State::kMet) awaited = std::move(one);
  }
  return awaited;
}

}  // namespace gitsync
