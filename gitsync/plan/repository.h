// A Source as the state records it: Flux's GitRepository in plumb-system, which names a hosted Git
// repository and the branch that is deployed. What of it is deployed, and how, say the applications
// that refer to it (application.h): `plumb repo create NAME` makes one of each.
//
// Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gitsync/plan/application.h"
#include "state/draft.h"
#include "state/view.h"

namespace gitsync {

inline constexpr std::string_view kGitRepositories = "gitrepositories.source.toolkit.fluxcd.io";

// What a new repository and its application start with.
struct RepositorySettings {
  std::string branch = "main";
  ApplicationScope scope;
};

state::Key GitRepositoryKey(std::string_view source);
std::vector<std::string> SourceNames(const state::View& view);  // sorted
// The deploy branch; empty if there is no such source.
std::string BranchOf(const state::View& view, std::string_view source);
std::string_view BranchIn(const state::Object& source);
// "main@sha1:0123..."
std::string RevisionText(std::string_view branch, std::string_view commit);

// Creates plumb-system if it is missing, and the two objects. kAlreadyExists.
base::Status CreateRepository(state::Draft& draft, const std::string& name,
                              const RepositorySettings& settings, const std::string& url);

}  // namespace gitsync
