// What an application waits for before it is applied: spec.dependsOn of its Kustomization. Pure.
#pragma once

#include <string>

#include "gitsync/plan/application.h"
#include "state/view.h"

namespace gitsync {

// Applications that one may depend on, directly or not. It bounds what each look at them costs.
inline constexpr size_t kMaxDependencies = 1000;

struct Dependencies {
  enum class State {
    kMet,
    kAwaited,  // they are on their way
    kFailed,   // nothing that goes on now will meet them
  };
  State state = State::kMet;
  std::string why;  // a sentence, unless they are met
};

// `commit` is what the application is about to be brought to. An application of the same source
// is ready if it was found healthy at that commit, one of another source if its last deploy was.
Dependencies DependenciesOf(const state::View& view, const Application& application,
                            const std::string& commit);

}  // namespace gitsync
