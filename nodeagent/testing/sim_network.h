// SimNetwork: connections between agents and one control plane on virtual time. Frames of a
// connection arrive in order, each after a seeded delay. An end that hangs up is noticed by the
// other at once. A partition holds all of that back until it heals, and who connects meanwhile is
// not answered: it takes patience to notice one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/rng.h"
#include "nodeagent/session/transport.h"

namespace nodeagent {

class SimNetwork {
 public:
  SimNetwork(base::Loop& loop, uint64_t seed);

  // The control plane; absent, connections are refused.
  void Listen(std::function<void(std::unique_ptr<FrameChannel>)> accept);
  void StopListening();  // and breaks all connections
  // The way of one node, whose certificate names it.
  std::unique_ptr<FrameDialer> Dialer(const std::string& node);

  void Partition(const std::string& node);
  void Heal(const std::string& node);
  // Breaks the node's connections; what is on its way is lost.
  void Break(const std::string& node);

  void set_delay(base::Duration most) { delay_ = most; }

  // Called with every frame that arrives at a node, or at the control plane.
  void OnArrival(std::function<void(const std::string& node, bool at_node, const Frame&)> watch);

 private:
  friend class SimDialer;
  friend class SimChannel;
  struct Wire;
  struct End;

  std::unique_ptr<FrameChannel> Connect(const std::string& node);
  void Deliver(const std::shared_ptr<Wire>& wire);
  void Close(const std::shared_ptr<Wire>& wire, const base::Status& why);
  void TellClosed(const std::shared_ptr<Wire>& wire);

  base::Loop& loop_;
  base::Rng rng_;
  base::Duration delay_ = base::Duration::Millis(20);
  std::function<void(std::unique_ptr<FrameChannel>)> accept_;
  std::function<void(const std::string&, bool, const Frame&)> watch_;
  std::set<std::string> partitioned_;
  std::map<uint64_t, std::shared_ptr<Wire>> wires_;
  std::map<std::string, std::vector<std::shared_ptr<Wire>>> closed_;  // in a partition, by node
  uint64_t last_wire_ = 0;
  base::Lifeline lifeline_;
};

}  // namespace nodeagent
