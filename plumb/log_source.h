// NodeLogSource: answers GET pods/NAME/log with what the pod's node sends. Loop only.
#pragma once

#include "base/loop.h"
#include "nodeagent/hub.h"
#include "state/edge/api_server.h"

namespace plumb {

// `hub` outlives what is returned.
state::ApiServer::LogSource NodeLogSource(base::Loop& loop, nodeagent::Hub& hub);

}  // namespace plumb
