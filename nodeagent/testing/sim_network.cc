// A wire has two ends. What an end sends waits in the other's queue; each arrives at a time of its
// own, not before the one ahead of it. While the node is partitioned, no frame of its wires moves.
#include "nodeagent/testing/sim_network.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace nodeagent {

struct SimNetwork::End {
  bool owned = true;  // its channel lives
  std::function<void(Frame)> on_frame;
  std::function<void(base::Status)> on_closed;
  std::function<void()> on_drained;
  struct Item {
    base::MonotonicTime due;
    Frame frame;
  };
  std::deque<Item> inbox;
  size_t inbox_bytes = 0;
};

struct SimNetwork::Wire {
  uint64_t id = 0;
  std::string node;
  End ends[2];  // 0: the node's, 1: the control plane's
  bool closed = false;
  base::Status why;
};

class SimChannel final : public FrameChannel {
 public:
  SimChannel(SimNetwork& network, std::shared_ptr<SimNetwork::Wire> wire, int end)
      : network_(network),
        tie_(network.lifeline_.tie()),
        wire_(std::move(wire)),
        end_(end),
        peer_(end == 1 ? wire_->node : "") {}
  ~SimChannel() override {
    Mine() = SimNetwork::End();
    Mine().owned = false;
    if (tie_.holds()) {
      network_.Close(wire_, base::Status(base::Code::kUnavailable, "the peer hung up"));
    }
  }

  void Send(Frame frame) override {
    if (wire_->closed || !tie_.holds()) return;
    SimNetwork::End& other = wire_->ends[1 - end_];
    base::MonotonicTime due = network_.loop_.now().monotonic +
                              base::Duration::Nanos(static_cast<int64_t>(network_.rng_.Below(
                                  static_cast<uint64_t>(network_.delay_.nanos()) + 1)));
    if (!other.inbox.empty()) due = std::max(due, other.inbox.back().due);
    other.inbox_bytes += SizeOf(frame);
    other.inbox.push_back({due, std::move(frame)});
    if (other.inbox_bytes > kMaxBacklogBytes) {
      return network_.Close(wire_, base::Status(base::Code::kTooLarge, "the peer does not read"));
    }
    network_.loop_.After(
        due - network_.loop_.now().monotonic,
        tie_.Wrap([network = &network_, wire = wire_] { network->Deliver(wire); }));
  }
  size_t Backlog() const override { return wire_->ends[1 - end_].inbox_bytes; }
  const std::string& peer() const override { return peer_; }
  void OnFrame(std::function<void(Frame)> f) override { Mine().on_frame = std::move(f); }
  void OnClosed(std::function<void(base::Status)> f) override { Mine().on_closed = std::move(f); }
  void OnDrained(std::function<void()> f) override { Mine().on_drained = std::move(f); }

 private:
  SimNetwork::End& Mine() { return wire_->ends[end_]; }

  SimNetwork& network_;
  const base::Lifeline::Tie tie_;  // to the network
  const std::shared_ptr<SimNetwork::Wire> wire_;
  const int end_;
  const std::string peer_;
};

class SimDialer final : public FrameDialer {
 public:
  SimDialer(SimNetwork& network, std::string node) : network_(network), node_(std::move(node)) {}
  std::unique_ptr<FrameChannel> Connect() override { return network_.Connect(node_); }
  std::unique_ptr<FrameChannel> OpenStream() override { return network_.Connect(node_); }

 private:
  SimNetwork& network_;
  const std::string node_;
};

SimNetwork::SimNetwork(base::Loop& loop, uint64_t seed) : loop_(loop), rng_(seed) {}

void SimNetwork::Listen(std::function<void(std::unique_ptr<FrameChannel>)> accept) {
  accept_ = std::move(accept);
}

void SimNetwork::StopListening() {
  accept_ = nullptr;
  const auto wires = wires_;
  for (const auto& [id, wire] : wires) {
    Close(wire, base::Status(base::Code::kUnavailable, "the control plane stopped"));
  }
}

std::unique_ptr<FrameDialer> SimNetwork::Dialer(const std::string& node) {
  return std::make_unique<SimDialer>(*this, node);
}

std::unique_ptr<FrameChannel> SimNetwork::Connect(const std::string& node) {
  auto wire = std::make_shared<Wire>();
  wire->id = ++last_wire_;
  wire->node = node;
  wires_[wire->id] = wire;
  loop_.After(delay_, lifeline_.Wrap([this, wire] {
    if (wire->closed) return;
    if (partitioned_.count(wire->node) != 0) return;
    if (accept_ == nullptr) {
      return Close(wire, base::Status(base::Code::kUnavailable, "nobody answers"));
    }
    accept_(std::make_unique<SimChannel>(*this, wire, 1));
    Deliver(wire);
  }));
  return std::make_unique<SimChannel>(*this, wire, 0);
}

void SimNetwork::Deliver(const std::shared_ptr<Wire>& wire) {
  for (int i : {0, 1}) {
    End& end = wire->ends[i];
    while (!wire->closed && partitioned_.count(wire->node) == 0 && end.on_frame &&
           !end.inbox.empty() && end.inbox.front().due <= loop_.now().monotonic) {
      const Frame frame = std::move(end.inbox.front().frame);
      end.inbox.pop_front();
      const bool was_full = end.inbox_bytes >= kRefillBacklogBytes;
      end.inbox_bytes -= SizeOf(frame);
      const bool drained = was_full && end.inbox_bytes < kRefillBacklogBytes;
      if (watch_) watch_(wire->node, i == 0, frame);
      const auto on_frame = end.on_frame;
      on_frame(frame);
      const auto on_drained = wire->ends[1 - i].on_drained;
      if (on_drained && drained) on_drained();
    }
  }
}

void SimNetwork::Close(const std::shared_ptr<Wire>& wire, const base::Status& why) {
  if (std::exchange(wire->closed, true)) return;
  wire->why = why;
  wires_.erase(wire->id);
  if (partitioned_.count(wire->node) != 0) {
    closed_[wire->node].push_back(wire);
  } else {
    TellClosed(wire);
  }
}

void SimNetwork::TellClosed(const std::shared_ptr<Wire>& wire) {
  loop_.Post(lifeline_.Wrap([wire] {
    for (End& end : wire->ends) {
      const auto on_closed = std::exchange(end.on_closed, nullptr);
      if (end.owned && on_closed) on_closed(wire->why);
    }
  }));
}

void SimNetwork::Partition(const std::string& node) { partitioned_.insert(node); }

void SimNetwork::Heal(const std::string& node) {
  partitioned_.erase(node);
  for (const auto& wire : std::exchange(closed_[node], {})) TellClosed(wire);
  const auto wires = wires_;
  for (const auto& [id, wire] : wires) {
    if (wire->node == node) Deliver(wire);
  }
}

void SimNetwork::Break(const std::string& node) {
  const auto wires = wires_;
  for (const auto& [id, wire] : wires) {
    if (wire->node == node) {
      Close(wire, base::Status(base::Code::kUnavailable, "the connection broke"));
    }
  }
}

void SimNetwork::OnArrival(
    std::function<void(const std::string& node, bool at_node, const Frame&)> watch) {
  watch_ = std::move(watch);
}

}  // namespace nodeagent
