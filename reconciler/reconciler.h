// Reconciler: runs the controllers. A commit tells it what changed; it asks each controller which
// keys that concerns, and works on them one at a time: snapshot, decide, commit.
//
// Loop only. All of it is done in turns of their own, never within a commit.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/loop.h"
#include "base/piecework.h"
#include "base/subscription.h"
#include "reconciler/controller.h"
#include "reconciler/work_queue.h"
#include "state/store.h"
#include "state/writer.h"

namespace reconciler {

class Reconciler {
 public:
  // Reconciles everything once from the start.
  Reconciler(base::Loop& loop, state::Store& store, const state::DraftContext& context,
             std::vector<std::unique_ptr<Controller>> controllers);

  // Nothing to do now, and nothing failed; keys may still wait for their time.
  bool Idle() const { return changes_.empty() && queue_.empty() && queue_.failing() == 0; }

 private:
  void Enqueue(const state::Change& change);
  void TakeChange();
  bool RunNext();  // whether there is more to do
  void RunOne(const Item& item);

  base::Loop& loop_;
  state::Store& store_;
  state::Writer writer_;
  const std::vector<std::unique_ptr<Controller>> controllers_;
  std::deque<state::Change> changes_;  // not looked at yet
  WorkQueue queue_;
  base::Piecework work_;  // a piece: a change looked at, or else an item
  base::Subscription on_commit_;
};

// Changes that wait to be looked at: as many as one transaction may have. What exceeds them is
// looked at within the commit.
inline constexpr size_t kMaxUnseenChanges = state::kMaxTransactionWrites;

}  // namespace reconciler
