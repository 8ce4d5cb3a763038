// DiffRoute: /plumb/v1/diff: what a push would change, for `plumb diff`.
//
//   POST /plumb/v1/diff?repository=NAME                 body: a SourceArchive
//   POST /plumb/v1/diff?repository=NAME&revision=REV    a commit that the server has
//
// REV is a commit, the beginning of one of the newest kMaxSearchedCommits of the deploy branch, a
// branch, or empty for the deploy branch. For those who may push. Runs on the server's workers.
#pragma once

#include <functional>
#include <memory>

#include "base/net/exchange.h"
#include "gitsync/deploy/sync_engine.h"
#include "gitsync/source/git.h"
#include "plumb/server/edge/git_routes.h"
#include "state/store.h"

namespace plumb {

inline constexpr int kMaxDiffs = 2;  // at the same time: each may hold a commit of 128 MiB
inline constexpr size_t kMaxSearchedCommits = 1000;

// What it asks of the loop; both live as long as the server.
struct DiffSource {
  base::Loop& loop;
  const state::Store& store;
  const gitsync::SyncEngine& engine;
  std::function<state::DraftContext()> context;  // loop only
};

// `git` is for this route alone: a GitStore serves one call at a time.
void AddDiffRoute(base::Routes& routes, const DiffSource& source,
                  std::unique_ptr<gitsync::GitStore> git, Authenticator authenticate);

}  // namespace plumb
