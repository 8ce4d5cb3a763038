// GrpcProbes: asks the health service of gRPC servers (grpc.health.v1).
//
// Made, called and destroyed on the loop; answers on the loop. Destroying it ends what is under
// way, unanswered.
#pragma once

#include <functional>
#include <memory>

#include "base/loop.h"
#include "nodeagent/pods/probe.h"

namespace nodeagent {

class GrpcProbes {
 public:
  explicit GrpcProbes(base::Loop& loop);
  ~GrpcProbes();

  // A kGrpc check. OK if the service that it names is serving.
  void Ask(const Check& check, base::Duration timeout, std::function<void(CheckAnswer)> done);

 private:
  struct UnderWay;
  base::Loop& loop_;
  const std::unique_ptr<UnderWay> calls_;
};

}  // namespace nodeagent
