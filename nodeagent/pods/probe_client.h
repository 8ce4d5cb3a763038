// ProbeClient: asks a pod over the network. A seam: edge/probe_client uses sockets,
// testing/fake_probe_client is told what to answer.
//
// Called on the loop, answers on the loop, later, exactly once, within the timeout.
#pragma once

#include <functional>

#include "base/status.h"
#include "base/time.h"
#include "nodeagent/pods/probe.h"

namespace nodeagent {

class ProbeClient {
 public:
  virtual ~ProbeClient() = default;
  // A kHttp, kTcp or kGrpc check. OK for a connection that was accepted and, over HTTP, an answer
  // of 200 to 399, over gRPC a service that says that it is serving; otherwise the message says
  // what was found instead.
  virtual void Ask(const Check& check, base::Duration timeout,
                   std::function<void(CheckAnswer)> done) = 0;
};

}  // namespace nodeagent
