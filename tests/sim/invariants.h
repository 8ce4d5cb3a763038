// Invariants: what must hold at every moment, checked at every commit, container and turn.
//
// Of the state:
//   - revisions have no gaps; what was acknowledged survives a crash, and the log read back is the
//     objects as they were at that revision;
//   - a pod is bound once, and no node is over its capacity;
//   - nothing of a refused push is ever stored;
//   - what a repository deploys is deleted by a user, with its namespace or its owner, or by that
//     repository, which then drops it from its inventory in the same transaction; what users made
//     by hand only by users.
// Of the nodes:
//   - a pod's containers run on one node only, the one that it is bound to;
//   - an agent that never had a whole View stops nothing;
//   - when a container of a pod that was ready as it was deleted is told to stop, no live node's
//     rules choose it any more for a service that has another endpoint, or DrainLimit has passed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_node.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/world.h"

namespace tests {

// Objects that users made by hand have names that begin so.
inline constexpr char kHandMade[] = "hand-made-";

class Invariants {
 public:
  using Nodes = std::vector<std::unique_ptr<SimNode>>;

  Invariants(World& world, SimServer& server, const Nodes& nodes);

  // A store was opened: the first, or one after a crash.
  void Opened(state::Store& store);
  void EndOfTurn();
  void WatchContainers(SimNode& node);

  // The true history of a resource, for those who watch it.
  struct Event {
    state::Revision revision = 0;
    state::Key key;
    bool removed = false;
  };
  const std::vector<Event>& HistoryOf(const std::string& resource) { return history_[resource]; }
  // Also told of every change; null: nobody is.
  void OnCommit(std::function<void(const state::Change&)> listener) {
    on_commit_ = std::move(listener);
  }
  uint64_t commits() const { return commits_; }
  uint64_t starts() const { return starts_; }  // of containers
  uint64_t stops() const { return stops_; }

 private:
  void Observe(const state::Change& change);
  void ObservePod(const state::Change& change);
  void ObserveDeletion(const state::Change& change);
  void CheckCapacity();
  void CheckReopened(const state::View& view);
  void Started(const SimNode& node, const nodeagent::ContainerState& container);
  bool Chosen(const SimNode& node, servicemesh::Ipv4 ip) const;
  void ToldToStop(const SimNode& node, const nodeagent::ContainerState& container);

  World& world_;
  SimServer& server_;
  const Nodes& nodes_;
  state::Store* store_ = nullptr;
  std::function<void(const state::Change&)> on_commit_;

  std::deque<state::View> views_;  // the last durable one, and those after it
  state::Revision acknowledged_ = 0, last_revision_ = 0;
  std::map<std::string, std::vector<Event>> history_;      // by resource
  std::map<std::string, std::string> bound_;               // node by pod uid
  std::map<std::string, std::string> running_;             // node where it was started, by pod uid
  std::map<std::string, base::MonotonicTime> deleted_;     // when, if it was ready, by pod uid
  std::map<std::string, base::MonotonicTime> live_since_;  // by node that is live
  std::map<std::string, base::MonotonicTime> knew_;        // when its agent last held a whole View
  uint64_t commits_ = 0, starts_ = 0, stops_ = 0;
  base::Subscription store_commits_, store_syncs_;
};

}  // namespace tests
