// NodeLogSource: answers GET pods/NAME/log with what the pod's node sends. ReadLogTail: the end of
// a log, for the sync engine. Loop only.
#pragma once

#include "base/loop.h"
#include "gitsync/deploy/container_log.h"
#include "nodeagent/hub/hub.h"
#include "state/api/api_server.h"

namespace plumb {

// `hub` outlives what is returned.
state::ApiServer::LogSource NodeLogSource(base::Loop& loop, nodeagent::Hub& hub);

// `done` is called with what there is when the node says that this was all; never if it does not.
void ReadLogTail(nodeagent::Hub& hub, const gitsync::ContainerLogRequest& request,
                 std::function<void(std::string)> done);

}  // namespace plumb
