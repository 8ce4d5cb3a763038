// Controller: one rule that keeps a part of the state as its objects say it should be.
//
// Pure: a controller has no members that change. It is level-triggered by key: it looks at the
// state as it is, never at what happened, and run twice it writes nothing the second time. What it
// writes in one turn commits all or nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "state/draft.h"
#include "state/events.h"
#include "state/transaction.h"

namespace reconciler {

using state::EventType;

// Objects that a controller writes in one turn; what is left comes in the next.
inline constexpr size_t kMaxWritesPerTurn = 500;

// What one reconciliation reads and does.
class Turn {
 public:
  Turn(state::Draft& draft, base::Now now) : draft_(draft), now_(now) {}

  const state::View& view() const { return draft_.view(); }  // with what this turn wrote so far
  state::Draft& draft() { return draft_; }
  base::Now now() const { return now_; }

  // Reconcile this key again after `delay`, should nothing call for it earlier. The shortest of
  // several counts.
  void Again(base::Duration delay) {
    if (!again_ || delay < *again_) again_ = delay;
  }
  std::optional<base::Duration> again() const { return again_; }

  // An Event about `object`; equal ones are counted in one object (state/events.h).
  void Event(const state::Object& object, EventType type, std::string_view reason,
             std::string_view message) {
    state::WriteEvent(draft_, object, type, reason, message);
  }

 private:
  state::Draft& draft_;
  base::Now now_;
  std::optional<base::Duration> again_;
};

class Controller {
 public:
  using Enqueue = std::function<void(const state::Key&)>;

  virtual ~Controller() = default;
  virtual std::string_view name() const = 0;  // "replicaset"

  // Which keys a change calls to reconcile. `view` is the state after it. At start every object
  // counts as created.
  virtual void Affects(const state::Change& change, const state::View& view,
                       const Enqueue& enqueue) const = 0;

  // Brings what `key` names one step nearer. An error discards the turn; it is tried again with
  // growing delay.
  virtual base::Status Reconcile(Turn& turn, const state::Key& key) const = 0;
};

}  // namespace reconciler
