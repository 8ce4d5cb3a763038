// ServerSession: the control plane's side of one connection, as a state machine: what the node
// holds, what it has to be told, and which frame is next. The hub pulls frames as the network takes
// them, so a slow node costs a list of shared objects and no copies.
//
// Pure: no clock, no I/O; one owner.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "nodeagent/hub/relevance.h"
#include "nodeagent/session/frame.h"

namespace nodeagent {

class ServerSession {
 public:
  explicit ServerSession(const std::string& node) : holding_(node) {}

  // `welcome` goes first. The node begins with what its Hello says that it holds, if that is of
  // this store's history; else with a transfer of all of `view`.
  void Start(Welcome welcome, const Hello& hello, const state::View& view);
  // The transfer from position() to `view`, where `changes` lead. Only when idle().
  void Advance(const RoutedChanges& changes, const state::View& view);
  // The same when the changes are not in the log any more.
  void Reset(const state::View& view);

  // The node has everything up to position(), but was not told so.
  bool is_ahead() const { return !transfer_ && !resuming_ && position_ != told_; }
  // It is told. Only when idle().
  void TellPosition();

  // No transfer is under way.
  bool idle() const { return !transfer_; }
  // What the node holds once all frames are sent.
  state::Revision position() const { return position_; }

  // The next frame to send, if there is one.
  std::optional<Frame> Next();

 private:
  struct Transfer {
    bool reset = false;
    Holding::Difference difference;
    size_t puts_sent = 0;
    size_t removals_sent = 0;
  };
  Objects NextChunk();

  Holding holding_;
  bool resuming_ = false;         // what the node holds is not known yet
  state::Revision position_ = 0;  // of the transfer under way, or of the last one
  state::Revision told_ = 0;      // the last position that the node was told
  std::optional<Welcome> welcome_;
  std::optional<Transfer> transfer_;
};

// A node that nothing concerns is still told how far it is, every so many revisions at the latest:
// so that it can resume later.
inline constexpr state::Revision kProgressEvery = 1000;

}  // namespace nodeagent
