// A TCP connection as a Duplex.
#pragma once

#include <memory>
#include <string>

#include "base/edge/poller.h"
#include "base/loop.h"
#include "base/net/duplex.h"

namespace base {

// Connects to a numeric address; if that fails, it is closed. Finishing ends both directions. Loop
// only; bytes pass on the poller's thread. The poller must have started; both outlive it.
std::unique_ptr<Duplex> ConnectTcp(Loop& loop, Poller& poller, const std::string& address,
                                   int port);

}  // namespace base
