// GitRoutes: serves the hosted repositories on the API's port, below /git/.
//
// A worker thread of the HTTP server carries each clone, fetch and push. Who may, says
// state/authorize.h: administrators and deployers, viewers where the repository lets them, never a
// node; nobody reads without a credential.
#pragma once

#include <functional>

#include "base/loop.h"
#include "base/net/exchange.h"
#include "gitsync/edge/git_host.h"
#include "plumb/server/authenticator.h"
#include "state/store.h"

namespace plumb {

inline constexpr const char* kGitPrefix = "/git";

// What it asks of the loop; both live as long as the server.
struct GitAccess {
  base::Loop& loop;
  const state::Store& store;
};

void AddGitRoutes(base::Routes& routes, gitsync::GitHost& host, const GitAccess& access,
                  Authenticator authenticate);

}  // namespace plumb
