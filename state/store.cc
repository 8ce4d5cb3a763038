// A commit:  check preconditions and stamp revisions (staging.h), unless that was prepared -> queue
//            its records, in batches within the Storage's limits -> put into the view -> append to
//            the log.
// A flush:   one batch at a time is encoded and goes to the Storage, on its thread; when it is
//            durable, what waited is released, and what queued up meanwhile goes next, as one
//            batch.
// A crash loses a suffix of transactions, never a part of one: a batch is atomic, and a transaction
// that was split over batches counts only once its last record is there; opening takes what is
// there of an unfinished one out again.
// One store writes: opening takes the next number of a writer, every write asks for it.
#include "state/store.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "manifests/versions.h"

namespace state {
namespace {

// While a write waits for room, the server's parts go on; so many batches of what they commit may
// wait for it.
constexpr size_t kMaxHeldBatches = 8;

base::Result<uint64_t> ReadNumber(Storage& storage, std::string_view key, uint64_t missing) {
  base::Result<std::string> text = storage.Get(key);
  if (!text.ok()) {
    if (text.status().code() == base::Code::kNotFound) return missing;
    return text.status();
  }
  uint64_t value = 0;
  const char* end = text->data() + text->size();
  if (std::from_chars(text->data(), end, value).ptr != end || text->empty()) {
    return base::Status(base::Code::kCorruption, std::string(key) + " holds no number");
  }
  return value;
}

// What is left for records beside the floor.
StorageLimits WithoutFloor(StorageLimits limits) {
  constexpr size_t kDigits = 20;
  CHECK(limits.batch_keys > 1 && limits.batch_bytes > 2 * (kFloorKey.size() + kDigits));
  limits.batch_keys -= 1;
  limits.batch_bytes -= kFloorKey.size() + kDigits;
  return limits;
}

// What only the log still holds of `change`.
size_t SupersededBytes(const Change& change) {
  return (change.previous ? change.previous->MemoryUsage() : 0) +
         (change.removed ? change.object->MemoryUsage() : 0);
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(base::Loop& loop, Storage& storage,
                                                 const StoreOptions& options,
                                                 std::function<void(base::Status)> failed) {
  std::unique_ptr<Store> store(new Store(loop, storage, options, std::move(failed)));
  RETURN_IF_ERROR(store->Load());
  return store;
}

Store::Store(base::Loop& loop, Storage& storage, const StoreOptions& options,
             std::function<void(base::Status)> failed)
    : loop_(loop),
      storage_(storage),
      options_(options),
      failed_(std::move(failed)),
      batch_limits_(WithoutFloor(storage.limits())) {}

base::Status Store::Load() {
  RETURN_IF_ERROR(TakeOver());
  ASSIGN_OR_RETURN(floor_, ReadNumber(storage_, kFloorKey, 0));
  stored_floor_ = floor_;
  RETURN_IF_ERROR(Replay());
  view_.set_schema(options_.schema_of(view_));
  ConvertStored();
  RETURN_IF_ERROR(WriteNow());
  durable_view_ = view_;
  return base::Status();
}

// Whoever opens last writes. What an earlier plumb wrote is read as it is.
base::Status Store::TakeOver() {
  ASSIGN_OR_RETURN(const uint64_t format, ReadNumber(storage_, kFormatKey, 0));
  if (format > kFormatVersion) {
    return base::Status(base::Code::kUnavailable, "the data has format " + std::to_string(format) +
                                                      ", this plumb reads up to " +
                                                      std::to_string(kFormatVersion) +
                                                      "; start a newer plumb, or restore a backup");
  }
  ASSIGN_OR_RETURN(const uint64_t writer, ReadNumber(storage_, kWriterKey, 0));
  Fence before{std::string(kWriterKey), std::nullopt};
  if (writer > 0) before.value = std::to_string(writer);
  fence_ = {std::string(kWriterKey), std::to_string(writer + 1)};
  StorageBatch batch;
  batch.puts.emplace_back(kFormatKey, std::to_string(kFormatVersion));
  batch.puts.emplace_back(kWriterKey, *fence_.value);
  return storage_.Write(batch, before);
}

// Records of a transaction count once its last one was read; those that follow the last whole one
// are dropped, the newest first: the log has no gap, however few of the batches are written.
base::Status Store::Replay() {
  Revision revision = floor_;
  base::Status status;
  std::vector<Record> open;
  RETURN_IF_ERROR(
      storage_.Scan(kLogFirst, kLogLast, [&](std::string_view key, std::string_view value) {
        base::Result<Revision> at = ParseRecordKey(key);
        if (!at.ok()) return status = at.status(), false;
        base::Result<Record> record = DecodeRecord(*at, value);
        if (!record.ok()) return status = record.status(), false;
        if (*at > floor_ && *at != revision + 1 + open.size()) {
          status = base::Status(base::Code::kCorruption,
                                "the log has a gap: revision " + std::to_string(*at) + " follows " +
                                    std::to_string(revision + open.size()) + "; restore a backup");
          return false;
        }
        if (*at <= floor_) return Recall(*std::move(record)), true;  // kept; long complete
        open.push_back(*std::move(record));
        if (!open.back().last) return true;
        revision = *at;
        for (Record& each : open) Recall(std::move(each));
        open.clear();
        return true;
      }));
  RETURN_IF_ERROR(status);
  for (auto record = open.rbegin(); record != open.rend(); ++record) {
    DeleteRecord(record->object->revision);
  }
  view_.set_revision(revision);
  return status;
}

// A record of the log, as if it was committed now.
void Store::Recall(Record record) {
  ObjectPtr& object = record.object;
  if (object->managers != nullptr) {
    auto shared = std::make_shared<Object>(*object);
    shared->managers = owners_.Share(object->managers);
    object = std::move(shared);
  }
  const Revision at = object->revision;
  ObjectPtr previous = view_.Get(object->key);
  record.removed ? view_.Remove(object->key) : view_.Put(object);
  if (at <= floor_) {  // what it superseded was to go, and a crash came before
    if (previous) DeleteRecord(previous->revision);
    if (record.removed) DeleteRecord(at);
    return;
  }
  Append(Change{at, object, std::move(previous), record.removed});
  durable_view_.set_revision(at);
  Trim();  // now, so that the window is never larger than that of the store before
}

// An object is stored with the version that its kind was stored in at that time; who reads it here
// finds it in the one that is stored now.
void Store::ConvertStored() {
  std::vector<ObjectPtr> converted;
  std::string resource, api_version;  // of the kind that was looked up last: objects come by kind
  const manifests::Kind* kind = nullptr;
  view_.ForEach([&](const ObjectPtr& object) {
    if (object->key.resource != resource) {
      resource = object->key.resource;
      kind = view_.schema()->FindByResource(resource);
      if (kind != nullptr) api_version = kind->ApiVersion();
    }
    if (kind == nullptr || (*object)["apiVersion"].AsString() == api_version) return;
    auto fresh = std::make_shared<Object>(*object);
    fresh->document = base::Document(manifests::Convert(object->document.ToJson(), *kind));
    converted.push_back(std::move(fresh));
  });
  for (ObjectPtr& object : converted) view_.Put(std::move(object));
}

bool Store::refuses() const { return pending_.size() > kMaxHeldBatches && !held().empty(); }

base::Status Store::Check(const Transaction& transaction) const {
  if (broken_)
    return base::Status(base::Code::kUnavailable, "the store failed; plumb is shutting down");
  if (refuses())
    return base::Status(base::Code::kUnavailable, "no changes are taken for now: " + held());
  if (transaction.writes.size() <= kMaxTransactionWrites) return base::Status();
  return base::Status(base::Code::kTooLarge,
                      "a transaction of " + std::to_string(transaction.writes.size()) +
                          " objects; the limit is " + std::to_string(kMaxTransactionWrites));
}

// True if it is over the newest View then. What was committed since it was made is put in one by
// one; of more than it has itself, it is staged anew as quickly.
bool Store::BringUp(PreparedTransaction& prepared) const {
  const Revision made_at = prepared.before().revision();
  if (made_at < floor_ || revision() - made_at > prepared.size()) return false;
  const std::vector<Change> since(log_.begin() + static_cast<ptrdiff_t>(made_at - floor_),
                                  log_.end());
  return prepared.MoveTo(view_, since);
}

base::Result<Store::Committed> Store::Commit(const Transaction& transaction,
                                             PreparedTransaction* prepared) {
  RETURN_IF_ERROR(Check(transaction));
  if (transaction.empty()) return Committed();
  std::span<const Write> writes(transaction.writes);
  if (prepared == nullptr || prepared->size() == 0 || !BringUp(*prepared)) {
    ASSIGN_OR_RETURN(std::vector<StagedWrite> staged,
                     StageWrites(writes, view_, view_.revision(), owners_));
    return Enter(std::move(staged), transaction.actor, std::nullopt);
  }
  std::vector<StagedWrite> staged = prepared->Take();
  CHECK(staged.size() <= writes.size());
  ASSIGN_OR_RETURN(std::vector<StagedWrite> rest,
                   StageWrites(writes.subspan(staged.size()), prepared->after(),
                               view_.revision() + staged.size(), owners_));
  for (StagedWrite& each : rest) {
    each.removed ? prepared->after().Remove(each.object->key) : prepared->after().Put(each.object);
    staged.push_back(std::move(each));
  }
  return Enter(std::move(staged), transaction.actor, std::move(prepared->after()));
}

base::Status Store::CheckRecords(const std::vector<StagedWrite>& staged) const {
  const size_t most =
      std::min(batch_limits_.value_bytes, batch_limits_.batch_bytes - RecordKey(0).size());
  for (const StagedWrite& each : staged) {
    if (each.record_bytes <= most) continue;
    return base::Status(base::Code::kTooLarge,
                        each.object->key.ToString() + " has " + std::to_string(each.record_bytes) +
                            " bytes with the managers of its fields; the storage takes " +
                            std::to_string(most));
  }
  return base::Status();
}

// `after`: the View with all that is staged, if there is one already.
base::Result<Store::Committed> Store::Enter(std::vector<StagedWrite> staged, const ActorPtr& actor,
                                            std::optional<View> after) {
  RETURN_IF_ERROR(CheckRecords(staged));
  Committed committed;
  committed.first = revision() + 1;
  committed.last = revision() + staged.size();
  committed.objects.reserve(staged.size());
  for (const StagedWrite& each : staged) {
    const bool last = &each == &staged.back();
    PutRecord(Record{each.removed, last, each.object}, each.record_bytes);
  }
  if (after) {
    view_ = *std::move(after);
  } else {
    for (const StagedWrite& each : staged)
      each.removed ? view_.Remove(each.object->key) : view_.Put(each.object);
  }
  for (StagedWrite& each : staged) {
    committed.objects.push_back(each.object);
    const Revision at = each.object->revision;
    Append(Change{at, std::move(each.object), std::move(each.previous), each.removed, actor});
  }
  view_.set_revision(committed.last);
  ++stats_.commits;
  stats_.writes += staged.size();
  Trim();
  FlushSoon();
  // Not durable yet, they stay in the log, whatever a listener commits.
  for (Revision at = committed.first; at <= committed.last; ++at) {
    commit_listeners_.Tell(log_[static_cast<size_t>(at - floor_ - 1)]);
  }
  return committed;
}

void Store::Append(Change change) {
  superseded_bytes_ += SupersededBytes(change);
  log_.push_back(std::move(change));
}

// Forgets changes beyond the window. What a forgotten change superseded can no longer be asked for:
// its record goes, the oldest of an object first, and no sooner than the floor is told (TakeBatch):
// what is left of them after a crash is superseded still. The window never shrinks below what is
// not durable yet.
void Store::Trim() {
  while ((log_.size() > options_.log_window || superseded_bytes_ > options_.log_window_bytes) &&
         log_.front().revision <= durable()) {
    const Change& change = log_.front();
    superseded_bytes_ -= SupersededBytes(change);
    if (change.previous) DeleteRecord(change.previous->revision);
    if (change.removed) DeleteRecord(change.revision);
    floor_ = change.revision;
    log_.pop_front();
  }
}

// The batch for what comes next, of so many bytes. A full one ends with what is in the view now.
Store::LogBatch& Store::RoomFor(size_t bytes) {
  if (pending_.empty()) {
    pending_.push_back({BatchRoom(batch_limits_)});
  } else if (!pending_.back().room.Fits(bytes)) {
    pending_.back().after = view_;
    pending_.push_back({BatchRoom(batch_limits_)});
  }
  pending_.back().room.Add(bytes);
  return pending_.back().batch;
}

void Store::PutRecord(Record record, size_t bytes) {
  const size_t with_key = bytes + RecordKey(0).size();
  RoomFor(with_key).records.push_back(std::move(record));
}

void Store::DeleteRecord(Revision revision) {
  RoomFor(RecordKey(0).size()).superseded.push_back(revision);
}

// What is due on the loop commits first: one sync serves all of it.
void Store::FlushSoon() {
  if (writing_ || flush_due_) return;
  flush_due_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    flush_due_ = false;
    if (!writing_) Flush();
  }));
}

Store::LogBatch Store::TakeBatch(View& after) {
  Pending& next = pending_.front();
  LogBatch batch = std::move(next.batch);
  after = next.after.value_or(view_);
  if (floor_ > stored_floor_) batch.floor = floor_;
  stored_floor_ = floor_;
  pending_.pop_front();
  ++stats_.batches;
  return batch;
}

// Any thread.
StorageBatch Store::Encode(const LogBatch& batch) {
  StorageBatch encoded;
  encoded.puts.reserve(batch.records.size() + 1);
  for (const Record& record : batch.records)
    encoded.puts.emplace_back(RecordKey(record.object->revision), EncodeRecord(record));
  if (batch.floor) encoded.puts.emplace_back(kFloorKey, std::to_string(*batch.floor));
  for (const Revision revision : batch.superseded) encoded.deletes.push_back(RecordKey(revision));
  return encoded;
}

void Store::Flush() {
  CHECK(!writing_);
  if (pending_.empty() || broken_) return;
  writing_ = true;
  View after;
  auto batch = std::make_shared<const LogBatch>(TakeBatch(after));
  loop_.OffloadTo(base::Loop::Lane::kStorage,
                  [this, &storage = storage_, batch, after, fence = fence_, tie = lifeline_.tie()] {
                    const base::Status status = storage.Write(Encode(*batch), fence);
                    return tie.Wrap([this, status, after] { Flushed(status, after); });
                  });
}

void Store::Flushed(base::Status status, const View& after) {
  writing_ = false;
  if (!status.ok()) {
    broken_ = true;
    failed_(status.WithContext("the store could not write its log"));
    return;
  }
  const bool advanced = after.revision() > durable();  // not between a transaction's batches
  durable_view_ = after;
  if (!pending_.empty()) Flush();
  if (advanced) TellDurable();
}

// The listeners before the tasks, whose commits may push out of the window what those read now.
void Store::TellDurable() {
  durable_listeners_.Tell();
  while (!waiting_.empty() && waiting_.begin()->first <= durable()) {
    base::Loop::Task task = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    task();
  }
}

base::Status Store::WriteNow() {
  CHECK(!writing_);
  while (!pending_.empty()) {
    View after;
    const base::Status status = storage_.Write(Encode(TakeBatch(after)), fence_);
    broken_ = !status.ok();
    if (broken_) return status.WithContext("the store could not write its log");
    durable_view_ = after;
  }
  TellDurable();
  return base::Status();
}

void Store::WhenDurable(Revision revision, base::Loop::Task task) {
  if (revision <= durable()) {
    task();
  } else {
    waiting_.emplace(revision, std::move(task));
  }
}

base::Result<std::vector<Change>> Store::Read(Revision after, size_t limit) const {
  if (after < floor_) {
    return base::Status(base::Code::kExpired, "revision " + std::to_string(after) +
                                                  " is too old (the log starts after " +
                                                  std::to_string(floor_) + "); list again");
  }
  std::vector<Change> changes;
  for (size_t i = static_cast<size_t>(after - floor_); i < log_.size() && changes.size() < limit;
       ++i) {
    if (log_[i].revision > durable()) break;
    changes.push_back(log_[i]);
  }
  return changes;
}

Store::Stats Store::stats() const {
  Stats stats = stats_;
  stats.objects = view_.size();
  stats.log_changes = log_.size();
  return stats;
}

}  // namespace state
