// What a transaction makes of a View: its writes checked, and its objects as the store will keep
// them. Of a large one all of this is done ahead, by a worker (PreparedTransaction): what is left
// for the loop is to give its objects the revisions that are next by then.
//
// Pure; any thread. A PreparedTransaction is used by one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "state/owner_pool.h"
#include "state/transaction.h"
#include "state/view.h"

namespace state {

// A write of a commit, as it will be.
struct StagedWrite {
  std::shared_ptr<Object> object;  // nobody else has it before the commit
  ObjectPtr previous;
  bool removed = false;
  size_t record_bytes = 0;
};

// `writes` over `view`, under the revisions after `last`. kConflict names the first whose
// precondition does not hold, kTooLarge the first that no store takes.
base::Result<std::vector<StagedWrite>> StageWrites(std::span<const Write> writes, const View& view,
                                                   Revision last, OwnerPool& owners);

class PreparedTransaction {
 public:
  // `view` is a store's newest. If the writes cannot be staged over it, nothing is prepared: their
  // commit says why.
  PreparedTransaction(const View& view, std::span<const Write> writes);
  PreparedTransaction(const PreparedTransaction&) = delete;
  PreparedTransaction& operator=(const PreparedTransaction&) = delete;

  const View& before() const { return before_; }
  size_t size() const { return staged_.size(); }

  // Brings it up to a store's newest View, which `changes` have led to from before(), all of them
  // in order; its objects get the revisions after that. False if one of them changed the same
  // object: it is worth nothing then.
  bool MoveTo(const View& now, std::span<const Change> changes);

  // After MoveTo: the View with all that is written, less its revision.
  View& after() { return after_; }
  std::vector<StagedWrite> Take() { return std::move(staged_); }

 private:
  void Restamp(StagedWrite& write, Revision revision);

  View before_, after_;
  std::vector<StagedWrite> staged_;
};

}  // namespace state
