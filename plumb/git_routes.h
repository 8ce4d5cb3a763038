// GitRoutes: serves the hosted repositories on the API's port, below /git/.
//
// A worker thread of the HTTP server carries each clone, fetch and push. Reading needs any role,
// pushing admin or deployer; nobody reads without a credential.
#pragma once

#include <functional>

#include "gitsync/edge/git_host.h"
#include "state/edge/http_server.h"

namespace plumb {

inline constexpr const char* kGitPrefix = "/git";

using Authenticator = std::function<base::Result<state::Identity>(const state::IncomingRequest&)>;

bool MayPush(const state::Identity& identity);

void AddGitRoutes(state::HttpServer& server, gitsync::GitHost& host, Authenticator authenticate);

}  // namespace plumb
