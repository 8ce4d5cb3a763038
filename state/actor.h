// Actor: who makes a change. It travels from the Draft into the Transaction and the Change, so that
// field ownership, drift, audit and admission read it there.
//
// Immutable and shared; any thread. A null ActorPtr is somebody unknown: what a store replays.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace state {

struct Actor {
  std::string user;                 // as authenticated: "alice", "system:node:n1"
  std::vector<std::string> groups;  // "plumb:admin"
  std::string manager;              // of fields: "kubectl", "plumb-gitsync"; empty: not named
  bool program = false;  // a part of plumb itself. A client can take its manager's name, not this.
};

using ActorPtr = std::shared_ptr<const Actor>;

// A part of plumb that writes of its own accord, such as "plumb-scheduler".
inline ActorPtr ProgramActor(std::string_view manager) {
  return std::make_shared<const Actor>(
      Actor{"system:" + std::string(manager), {"system:plumb"}, std::string(manager), true});
}

}  // namespace state
