// Reconciler: runs the controllers. A commit tells it what changed; it asks each controller which
// keys that concerns, and works on them one at a time: snapshot, decide, commit.
//
// Loop only.
#pragma once

#include <memory>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
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
  bool Idle() const { return queue_.empty() && queue_.failing() == 0; }

 private:
  void Enqueue(const state::Change& change);
  void RunSlice();
  void RunOne(const Item& item);

  base::Loop& loop_;
  state::Store& store_;
  state::Writer writer_;
  const std::vector<std::unique_ptr<Controller>> controllers_;
  WorkQueue queue_;
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

}  // namespace reconciler
