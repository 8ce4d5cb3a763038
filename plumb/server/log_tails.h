// LogTails: the ends of containers' logs, for the sync engine.
//
// Loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/net/duplex.h"
#include "nodeagent/hub/hub.h"
#include "state/pod_stream.h"

namespace plumb {

class LogTails {
 public:
  explicit LogTails(nodeagent::Hub& hub) : hub_(hub) {}

  // `done` is called with the last of what there is, when the node has said that it was all, or has
  // gone; never if it does neither.
  void Read(const state::PodStream& log, std::function<void(std::string)> done);

 private:
  struct Tail {
    std::unique_ptr<base::Duplex> stream;
    std::string text;
    std::function<void(std::string)> done;
  };
  void End(uint64_t id);

  nodeagent::Hub& hub_;
  std::map<uint64_t, Tail> tails_;
  uint64_t last_id_ = 0;
};

}  // namespace plumb
