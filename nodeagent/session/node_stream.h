// NodeStream: one end of a stream between the control plane and a node, over a FrameChannel of its
// own, with credit: neither side sends more than the other has room for, so a slow reader costs a
// window of memory and holds nobody else up.
//
// Loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "nodeagent/session/transport.h"

namespace nodeagent {

class NodeStream final : public base::Duplex {
 public:
  // The control plane's end closes the channel once both have finished; the agent's waits for that,
  // so that its last words arrive.
  enum class Side { kControlPlane, kAgent };

  // What is written before there is a channel waits for it.
  NodeStream(base::Loop& loop, Side side);
  ~NodeStream() override;

  // Called when it is destroyed.
  void OnGone(std::function<void()> gone) { gone_ = std::move(gone); }
  // Once; the channel's callbacks are taken over.
  void Attach(std::unique_ptr<FrameChannel> channel);
  // Breaks it.
  void Fail(const base::Status& why);
  // What came another way: from an agent that knows no streams of their own. The first is false if
  // more waits than may.
  bool Put(std::string_view bytes);
  void PutEnd(const base::Status& status) { inbox_.Finished(status); }

  void Listen(Events events) override { inbox_.Listen(std::move(events)); }
  void Write(std::string_view bytes) override;
  size_t Backlog() const override { return outbox_.size() - sent_; }
  void Finish(base::Status status) override;
  void SetPaused(bool paused) override { inbox_.SetPaused(paused); }

 private:
  void Receive(Frame frame);
  void Pump();
  void ReturnCredit(size_t bytes);
  void CloseIfDone();

  base::Loop& loop_;
  const Side side_;
  std::function<void()> gone_;
  std::unique_ptr<FrameChannel> channel_;  // null before Attach
  std::string outbox_;                     // what is written, from sent_ on not sent
  size_t sent_ = 0;
  uint64_t credit_ = kStreamWindowBytes;   // bytes that may be sent
  uint64_t granted_ = kStreamWindowBytes;  // bytes that the peer may send
  uint64_t taken_ = 0;                     // by the reader, and not granted again yet
  std::optional<base::Status> finish_;     // to be told when the outbox is empty
  bool finished_ = false;
  base::DuplexInbox inbox_;
  base::Lifeline lifeline_;
};

}  // namespace nodeagent
