// Duplex: bytes both ways, in order, where a slow reader holds the writer back: an upgraded
// connection, a stream to a node, a program's input and output.
//
// Loop only. Owned by who uses it; destroying it hangs up, and none of its callbacks runs any more.
// Every callback may destroy it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace base {

class Duplex {
 public:
  struct Events {
    std::function<void(std::string_view bytes)> bytes;
    // The peer writes nothing more, and says how that went. Comes once, after all bytes.
    std::function<void(Status status)> finished;
    // Nothing passes any more, in either direction. Comes once, as the last: OK after the peer had
    // finished; a failure at once, even while the reader pauses.
    std::function<void(Status status)> closed;
    // Backlog() has fallen under kRefillDuplexBacklog again.
    std::function<void()> drained;
  };

  virtual ~Duplex() = default;

  // Called once, in the turn in which one got the Duplex, or before the end of a pause that began
  // there; no event comes from within.
  virtual void Listen(Events events) = 0;

  // Queues bytes; into the void after Finish or the end. More than kMaxDuplexBacklog waiting breaks
  // it: who writes much looks at Backlog and waits for `drained`.
  virtual void Write(std::string_view bytes) = 0;
  virtual size_t Backlog() const = 0;
  // Nothing more will be written; the peer is told after what was.
  virtual void Finish(Status status = {}) = 0;
  // While paused no bytes and no `finished` come, and the peer is held back.
  virtual void SetPaused(bool paused) = 0;
};

inline constexpr size_t kRefillDuplexBacklog = 256u << 10;
inline constexpr size_t kMaxDuplexBacklog = 8u << 20;

// The receiving half of a Duplex, for those who implement one: keeps the order of events, and bytes
// while the reader pauses or does not listen yet.
class DuplexInbox {
 public:
  DuplexInbox();
  ~DuplexInbox();
  DuplexInbox(const DuplexInbox&) = delete;
  DuplexInbox& operator=(const DuplexInbox&) = delete;

  void Listen(Duplex::Events events);
  // Called with how many bytes the reader has taken: now the peer may send as many again.
  void OnTaken(std::function<void(size_t)> taken);
  void SetPaused(bool paused);

  // Each may end in the destruction of the Duplex, and of this.
  void Put(std::string_view bytes);
  void Finished(Status status);
  void Closed(Status status);
  void Drained();

  size_t waiting() const;
  bool finished() const;
  bool closed() const;

 private:
  struct State;
  static void Deliver(const std::shared_ptr<State>& state);
  const std::shared_ptr<State> state_;
};

}  // namespace base
