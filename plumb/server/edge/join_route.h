// JoinRoute: POST /plumb/v1/join: a machine with a join token, or a node with its certificate, gets
// a certificate for the node's name. Loop only.
#pragma once

#include "base/loop.h"
#include "base/net/exchange.h"
#include "plumb/server/edge/credentials.h"

namespace plumb {

void AddJoinRoute(base::Loop& loop, base::Routes& routes, const Credentials& credentials);

}  // namespace plumb
