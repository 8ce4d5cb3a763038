// What `plumb server` and `plumb up` share: their flags, and what they print once they serve.
#pragma once

#include "plumb/commands/arguments.h"
#include "plumb/server/edge/server.h"

namespace plumb {

extern const char* const kServerFlagsHelp;
FlagSet ServerFlags();
base::Result<ServerOptions> ReadServerOptions(const Arguments& arguments);

}  // namespace plumb
