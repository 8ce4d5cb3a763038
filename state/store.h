// Store: the truth. Versioned objects in memory, their change log, and under them a Storage that
// keeps the log.
//
// Loop only. A commit is visible in View() at once, and durable later: whoever tells the outside
// about it waits for WhenDurable. Commits made while a write is under way go together into the next
// one; so do those of one turn of the loop and of the turns that were due by then.
//
// The Storage holds the log and nothing else: a record a revision, under its number. Opening
// replays it; what a record superseded is deleted when it leaves the window that watches may resume
// in. A transaction larger than the Storage takes at once goes there in several batches, and is
// durable when its last record is. Records are made of the objects by the thread that writes them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/status.h"
#include "base/subscription.h"
#include "state/owner_pool.h"
#include "state/record.h"
#include "state/schema_of.h"
#include "state/staging.h"
#include "state/storage.h"
#include "state/transaction.h"
#include "state/view.h"

namespace state {

struct StoreOptions {
  // Changes a watch may resume across: at most so many, with at most so many bytes of memory for
  // what they superseded or removed. That is what stays in memory besides the objects.
  size_t log_window = 100'000;
  size_t log_window_bytes = 64u << 20;
  // Transactions of fewer writes are not worth preparing (staging.h).
  size_t min_prepared_writes = 256;
  std::function<manifests::SchemaPtr(const View&)> schema_of = SchemaOf;
};

class Store {
 public:
  // Reads everything, and takes the storage over: what another store over it writes from now on is
  // refused. kCorruption names the record that does not read back; kUnavailable says that the data
  // is of a newer plumb. `failed` is called once if a write fails later: the process must end,
  // since memory is ahead of the disk.
  static base::Result<std::unique_ptr<Store>> Open(base::Loop& loop, Storage& storage,
                                                   const StoreOptions& options,
                                                   std::function<void(base::Status)> failed);

  // The newest state, durable or not. O(1) to copy.
  const View& view() const { return view_; }
  Revision revision() const { return view_.revision(); }
  // The newest state that is durable: what reads from outside see, without waiting for what is
  // being written. Between transactions, as every View.
  const View& durable_view() const { return durable_view_; }
  Revision durable() const { return durable_view_.revision(); }
  size_t min_prepared_writes() const { return options_.min_prepared_writes; }
  // What nothing can become durable without, for now (Storage::held). The doors take no writes
  // then; what the parts of the server commit is durable later.
  std::string held() const { return storage_.held(); }
  // So much waits for a held write that no transaction is taken: kUnavailable.
  bool refuses() const;
  // The oldest revision that Read can start after.
  Revision floor() const { return floor_; }

  struct Committed {
    Revision first = 0;  // of the first write; 0 if nothing was written
    Revision last = 0;
    std::vector<ObjectPtr> objects;  // one a write, as stored (of a removal: the last state)
  };
  // kConflict names the first write whose precondition does not hold, kTooLarge one that no storage
  // takes; nothing is changed then. `prepared`, of all writes of the transaction or the first of
  // them, only saves time, and is used up.
  base::Result<Committed> Commit(const Transaction& transaction,
                                 PreparedTransaction* prepared = nullptr);

  // Runs `task` on the loop once `revision` is durable (at once, inline, if it is).
  void WhenDurable(Revision revision, base::Loop::Task task);

  // Writes what was committed, on this thread: for the time before anything is served. Its failure
  // is for the caller.
  base::Status WriteNow();

  // Durable changes after `after`, oldest first, at most `limit`. kExpired below floor().
  base::Result<std::vector<Change>> Read(Revision after, size_t limit) const;

  // Called on the loop after each commit, before it is durable: what controllers wait for.
  base::Subscription OnCommit(std::function<void(const Change&)> listener) {
    return commit_listeners_.Add(std::move(listener));
  }
  // Called on the loop whenever durable() has advanced: what watches wait for. A listener finds in
  // the window all that has become durable since its last call, however small the window is, as
  // long as no listener commits.
  base::Subscription OnDurable(std::function<void()> listener) {
    return durable_listeners_.Add(std::move(listener));
  }

  struct Stats {
    uint64_t commits = 0, writes = 0, batches = 0;
    size_t objects = 0, log_changes = 0;
  };
  Stats stats() const;

 private:
  Store(base::Loop& loop, Storage& storage, const StoreOptions& options,
        std::function<void(base::Status)> failed);
  // What goes to the Storage at once.
  struct LogBatch {
    std::vector<Record> records;
    std::vector<Revision> superseded;  // whose records go
    std::optional<Revision> floor;
  };

  base::Status Load();
  base::Status TakeOver();
  base::Status Replay();
  void Recall(Record record);
  void ConvertStored();
  base::Status Check(const Transaction& transaction) const;
  bool BringUp(PreparedTransaction& prepared) const;
  base::Status CheckRecords(const std::vector<StagedWrite>& staged) const;
  base::Result<Committed> Enter(std::vector<StagedWrite> staged, const ActorPtr& actor,
                                std::optional<View> after);
  void Append(Change change);
  void Trim();
  LogBatch& RoomFor(size_t bytes);
  void PutRecord(Record record, size_t bytes);
  void DeleteRecord(Revision revision);
  void FlushSoon();
  LogBatch TakeBatch(View& after);
  static StorageBatch Encode(const LogBatch& batch);
  void Flush();
  void Flushed(base::Status status, const View& after);
  void TellDurable();

  base::Loop& loop_;
  Storage& storage_;
  const StoreOptions options_;
  const std::function<void(base::Status)> failed_;

  View view_;
  View durable_view_;
  OwnerPool owners_;
  std::deque<Change> log_;       // revisions floor_ + 1 ... view_.revision(), without gaps
  size_t superseded_bytes_ = 0;  // of log_
  Revision floor_ = 0, stored_floor_ = 0;

  struct Pending {
    BatchRoom room;
    LogBatch batch = {};
    // The state between transactions that is durable with it; absent: the newest.
    std::optional<View> after = std::nullopt;
  };
  const StorageLimits batch_limits_;  // the storage's, less room for the floor
  Fence fence_;                       // this store is the last that was opened
  std::deque<Pending> pending_;
  bool writing_ = false;
  bool flush_due_ = false;
  bool broken_ = false;
  std::multimap<Revision, base::Loop::Task> waiting_;
  base::Listeners<const Change&> commit_listeners_;
  base::Listeners<> durable_listeners_;
  Stats stats_;
  base::Lifeline lifeline_;
};

}  // namespace state
