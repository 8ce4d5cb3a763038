// JoinRoute: POST /plumb/v1/join: a machine with a join token, or a node with its certificate, gets
// a certificate for the node's name. Loop only.
#pragma once

#include "base/loop.h"
#include "plumb/credentials.h"
#include "state/edge/http_server.h"

namespace plumb {

void AddJoinRoute(base::Loop& loop, state::HttpServer& server, const Credentials& credentials);

}  // namespace plumb
