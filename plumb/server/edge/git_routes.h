// GitRoutes: serves the hosted repositories on the API's port, below /git/.
//
// A worker thread of the HTTP server carries each clone, fetch and push. Reading needs any role,
// pushing admin or deployer; nobody reads without a credential.
#pragma once

#include <functional>

#include "base/net/exchange.h"
#include "gitsync/edge/git_host.h"
#include "plumb/server/authenticator.h"

namespace plumb {

inline constexpr const char* kGitPrefix = "/git";

void AddGitRoutes(base::Routes& routes, gitsync::GitHost& host, Authenticator authenticate);

}  // namespace plumb
