// JoinRoute: POST /plumb/v1/join: a machine with a join token, or a node with its certificate, gets
// a certificate for the node's name. A token of counted uses is used up durably before the answer.
// Loop only.
#pragma once

#include "base/loop.h"
#include "base/net/exchange.h"
#include "nodeagent/hub/hub.h"
#include "plumb/server/edge/credentials.h"
#include "state/store.h"

namespace plumb {

// All live as long as the server.
struct JoinSource {
  base::Loop& loop;
  const state::Store& store;
  const nodeagent::Hub& hub;
  Credentials& credentials;
};

void AddJoinRoute(base::Routes& routes, const JoinSource& source);

}  // namespace plumb
