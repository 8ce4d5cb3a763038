// Order: bytes, then `finished`, then `closed`. A pause holds them back, but for a failure: that
// never waits, and drops what did. Callbacks run one at a time, from copies, because each may
// destroy the inbox or come back into it.
#include "base/net/duplex.h"

#include <utility>

namespace base {

struct DuplexInbox::State {
  bool owned = true;
  bool delivering = false;
  bool paused = false;
  Duplex::Events events;
  std::function<void(size_t)> taken;
  std::string waiting;
  std::optional<Status> finished, closed;
  bool has_finished = false, has_closed = false;
};

DuplexInbox::DuplexInbox() : state_(std::make_shared<State>()) {}
DuplexInbox::~DuplexInbox() {
  state_->owned = false;
  state_->events = {};
}

void DuplexInbox::Listen(Duplex::Events events) { state_->events = std::move(events); }

void DuplexInbox::OnTaken(std::function<void(size_t)> taken) { state_->taken = std::move(taken); }

void DuplexInbox::SetPaused(bool paused) {
  state_->paused = paused;
  if (!paused) Deliver(state_);
}

void DuplexInbox::Put(std::string_view bytes) {
  if (bytes.empty() || state_->has_finished || state_->has_closed) return;
  state_->waiting.append(bytes);
  Deliver(state_);
}

void DuplexInbox::Finished(Status status) {
  if (state_->has_closed || std::exchange(state_->has_finished, true)) return;
  state_->finished = std::move(status);
  Deliver(state_);
}

void DuplexInbox::Closed(Status status) {
  if (std::exchange(state_->has_closed, true)) return;
  state_->closed = std::move(status);
  Deliver(state_);
}

void DuplexInbox::Drained() {
  const auto drained = state_->events.drained;
  if (drained && !state_->has_closed) drained();
}

size_t DuplexInbox::waiting() const { return state_->waiting.size(); }
bool DuplexInbox::finished() const { return state_->has_finished; }
bool DuplexInbox::closed() const { return state_->has_closed; }

void DuplexInbox::Deliver(const std::shared_ptr<State>& shared) {
  const std::shared_ptr<State> state = shared;  // outlives the inbox in a callback
  if (std::exchange(state->delivering, true)) return;
  while (state->owned) {
    if (!state->paused && !state->waiting.empty() && state->events.bytes) {
      const std::string bytes = std::exchange(state->waiting, {});
      const auto on_bytes = state->events.bytes;
      on_bytes(bytes);
      if (state->owned && state->taken) state->taken(bytes.size());
    } else if (!state->paused && state->waiting.empty() && state->finished &&
               state->events.finished) {
      const auto on_finished = std::exchange(state->events.finished, nullptr);
      on_finished(*std::exchange(state->finished, std::nullopt));
    } else if (state->closed && state->events.closed && !(state->paused && state->closed->ok())) {
      const Status status = *std::exchange(state->closed, std::nullopt);
      const auto on_closed = std::exchange(state->events, {}).closed;
      on_closed(status);
    } else {
      break;
    }
  }
  state->delivering = false;
}

}  // namespace base
