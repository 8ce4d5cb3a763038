// Writer: how the parts of a server change the Store: a draft of the newest state, made now, under
// a seed that no other draft has.
//
// Loop only; the Store and Loop outlive it. One Writer a writer of the state: what is the same for
// all of its drafts is said once.
#pragma once

#include "base/loop.h"
#include "base/rng.h"
#include "state/draft.h"
#include "state/store.h"

namespace state {

class Writer {
 public:
  // `context` as of every draft, but for who writes: `actor`. Its seed begins theirs, and must
  // differ from that of every other Writer in the Store's life.
  Writer(base::Loop& loop, Store& store, const DraftContext& context, ActorPtr actor);

  Draft NewDraft() { return Draft(store_.view(), NewContext()); }
  // For what is planned elsewhere: on a worker, or over another View.
  DraftContext NewContext();

  // As Store::Commit.
  base::Result<Store::Committed> Commit(const Draft& draft);
  // Runs `task` on the loop once all that is committed by now is durable (at once, inline, if it
  // is): even a commit that changed nothing may tell what another has changed.
  void WhenDurable(base::Loop::Task task);

  // What is the same for all drafts; its time and seed are no draft's.
  const DraftContext& context() const { return context_; }

 private:
  base::Loop& loop_;
  Store& store_;
  const DraftContext context_;
  base::Rng seeds_;
};

}  // namespace state
