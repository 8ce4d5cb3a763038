// Channel: what the handler of one request and the connection it came on share: the request's body
// on its way in, the response on its way out.
//
// Any thread, except where the connection's side is named. Bytes wait here, shared rather than
// copied, until the connection's thread can write them; the connection is woken when the first ones
// arrive. Both ends hold a share; either may let go first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/edge/poller.h"
#include "base/net/edge/byte_budget.h"
#include "base/net/edge/http1.h"
#include "base/net/http.h"
#include "base/status.h"

namespace base {

// What the request's head demands of its response.
struct ResponseRules {
  bool keep_alive = true;  // if the body of the request was read to its end, too
  bool no_body = false;    // HEAD
  bool chunks = true;      // HTTP/1.1
  bool is_read = false;    // GET, HEAD: it changed nothing, and may be asked again
};

class Channel {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  // `has_body`: the request's body passes through here (ReadBody). `unsent` is all connections'.
  Channel(Poller::Waker waker, ResponseRules rules, bool has_body,
          std::shared_ptr<ByteBudget> unsent);
  ~Channel();

  // The handler's side.
  // One of these, once. Send is the whole response, and finishes it; where too many bytes wait for
  // their peers already, a large answer to a read becomes 429.
  void Send(HttpResponse response);
  void Begin(const HttpResponse& head, bool patient);  // patient: a peer may read as slowly as it
                                                       // likes, the backlog is the only limit
  // Leaves the connection to the handler, after `head` if there is one: its bytes go out as they
  // are written, and what comes in waits for TakeInbox. `on_inbox` is called on the connection's
  // thread when bytes wait again.
  void Upgrade(const HttpResponse* head, std::function<void()> on_inbox);
  // `ended`: it was the last.
  std::string TakeInbox(bool* ended);
  bool begun() const;
  // Queues bytes of the body. False once the peer is gone. More than `limit` bytes waiting drop the
  // peer: a stream with a hole is worth nothing. So do more than kMaxPatientBacklog while too many
  // wait for all peers, unless the connection was upgraded: then its reader holds the writer back.
  bool Write(Bytes bytes, size_t limit);
  // The same, but waits while `limit` bytes are waiting.
  bool WriteBlocking(Bytes bytes, size_t limit);
  void Finish();
  size_t Backlog() const;
  // Called on the connection's thread each time that the backlog falls under `size`.
  void OnDrained(size_t size, std::function<void()> drained);
  // Called once, on the connection's thread, when the peer goes away before the end (or here and
  // now, if it has).
  void OnGone(std::function<void()> gone);
  // Waits for a piece of the request's body; "" is its end. kUnavailable if the peer is gone,
  // kBadRequest if its framing is broken.
  Result<std::string> ReadBody();

  // The connection's side.
  enum class Progress { kMore, kFinished, kDropped };
  // Appends what can be written next, about `size` bytes, to `out`, in its framing. Nothing
  // appended and kMore: a Wake will follow.
  Progress Take(size_t size, std::string& out);
  bool patient() const;
  bool upgraded() const;
  bool keep_alive() const;  // after kFinished
  size_t BodyRoom() const;  // bytes of body that the handler waits for now
  void PutBody(std::string_view piece);
  void EndBody(Status status);
  void PeerGone();

 private:
  enum class Framing { kNone, kPlain, kChunks };
  enum class Body { kOpen, kEnded, kFailed };

  void BeginLocked(const HttpResponse& head, ResponseBody body);
  bool QueueLocked(Bytes bytes);
  void WakeLocked();
  void AppendContent(size_t size, std::string& out);
  void DropPieces();

  // What others hold as well (an event of many watches) is not this channel's to answer for.
  struct Piece {
    Bytes bytes;
    bool own = false;
  };

  const Poller::Waker waker_;
  const ResponseRules rules_;
  const std::shared_ptr<ByteBudget> unsent_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // room to write, body to read, or the peer is gone

  std::string head_;
  std::deque<Piece> pieces_;
  size_t first_offset_ = 0;  // into pieces_.front()
  size_t waiting_ = 0;       // bytes of pieces_ not yet taken
  Framing framing_ = Framing::kNone;
  bool begun_ = false;
  bool patient_ = false;
  bool keep_alive_ = false;
  bool finished_ = false;
  bool dropped_ = false;  // by Write: too slow
  bool gone_ = false;
  bool awake_ = false;  // a Wake is under way, or Take has left something
  std::function<void()> on_gone_;

  Body body_;
  bool body_wanted_ = false;
  bool upgraded_ = false;
  size_t drained_size_ = 0;
  std::function<void()> on_inbox_;
  std::function<void()> on_drained_;
  std::string inbox_;
  Status body_status_;
};

inline constexpr size_t kMaxPatientBacklog = 256u << 10;

}  // namespace base
