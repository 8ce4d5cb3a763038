// The seam between sessions and the network: channels that carry frames, in order, to a peer that
// has proved its name.
//
// Loop only. edge/grpc_transport is the real one, testing/sim_network the fake.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "nodeagent/session/frame.h"

namespace nodeagent {

// One connection. Destroying it closes it, and none of its callbacks runs any more.
class FrameChannel {
 public:
  virtual ~FrameChannel() = default;

  // Queues a frame; dropped once the channel is closed. A peer that lets more than kMaxBacklogBytes
  // pile up is disconnected.
  virtual void Send(Frame frame) = 0;
  // Bytes queued that the network has not taken yet.
  virtual size_t Backlog() const = 0;
  // The node's name that the peer's certificate vouches for; "" at the agent's end.
  virtual const std::string& peer() const = 0;
  // What the peer proved that by, as base::Identity has it; "" where nothing can end.
  virtual std::string credential() const { return ""; }

  // Set all three before the loop's turn ends. No frame comes after OnClosed, which comes once;
  // either callback may destroy the channel.
  virtual void OnFrame(std::function<void(Frame)> on_frame) = 0;
  virtual void OnClosed(std::function<void(base::Status)> on_closed) = 0;
  // Called when Backlog() has fallen under kRefillBacklogBytes.
  virtual void OnDrained(std::function<void()> on_drained) = 0;
};

// Who has much to send stops above this and goes on when OnDrained says so.
inline constexpr size_t kRefillBacklogBytes = 1u << 20;
inline constexpr size_t kMaxBacklogBytes = 16u << 20;

// The agent's way to the control plane.
class FrameDialer {
 public:
  virtual ~FrameDialer() = default;
  // Starts to connect. The channel can be used at once; a connection that cannot be made is
  // OnClosed with the reason.
  virtual std::unique_ptr<FrameChannel> Connect() = 0;
  // A channel for a stream, beside the one that Connect made last and over the same connection.
  virtual std::unique_ptr<FrameChannel> OpenStream() = 0;
};

}  // namespace nodeagent
