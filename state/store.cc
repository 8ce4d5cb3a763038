// A commit:  check preconditions -> stamp revisions -> put into the view -> append to the log ->
// queue its records. A flush:   one batch at a time goes to the Storage on a worker; when it is
// durable, what waited is released, and what
//            queued up meanwhile goes next, as one batch.
// A crash loses a suffix of transactions, never a part of one: a batch is atomic, and a transaction
// that was split over batches counts only once its last record is there.
#include "state/store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "manifests/kinds/kind_facts.h"
#include "manifests/versions.h"
#include "state/record.h"

namespace state {
namespace {

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

// What only the log still holds of `change`.
size_t SupersededBytes(const Change& change) {
  return (change.previous ? change.previous->document.Bytes().size() : 0) +
         (change.removed ? change.object->document.Bytes().size() : 0);
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
    : loop_(loop), storage_(storage), options_(options), failed_(std::move(failed)) {}

base::Status Store::Load() {
  ASSIGN_OR_RETURN(const uint64_t format, ReadNumber(storage_, kFormatKey, 0));
  if (format > kFormatVersion) {
    return base::Status(base::Code::kUnavailable, "the data has format " + std::to_string(format) +
                                                      ", this plumb reads up to " +
                                                      std::to_string(kFormatVersion) +
                                                      "; start a newer plumb, or restore a backup");
  }
  if (format < kFormatVersion) {  // what an earlier plumb wrote is read as it is
    StorageBatch batch;
    batch.puts.emplace_back(kFormatKey, std::to_string(kFormatVersion));
    RETURN_IF_ERROR(storage_.Write(batch));
  }
  ASSIGN_OR_RETURN(floor_, ReadNumber(storage_, kFloorKey, 0));
  Revision revision = floor_;

  // Records of a transaction count once its last one was read; those that follow the last whole one
  // are dropped.
  base::Status status;
  std::vector<Record> open;
  StorageBatch garbage;
  const auto apply = [&](Record& record) {
    ObjectPtr& object = record.object;
    if (object->managers != nullptr) {
      auto shared = std::make_shared<Object>(*object);
      shared->managers = owners_.Share(object->managers);
      object = std::move(shared);
    }
    const Revision at = object->revision;
    Change change{at, object, view_.Get(object->key), record.removed};
    record.removed ? view_.Remove(object->key) : view_.Put(object);
    if (at <= floor_) return;
    Append(std::move(change));
    durable_view_.set_revision(at);
    Trim(garbage);  // now, so that the window is never larger than that of the store before
  };
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
        if (*at <= floor_) return apply(*record), true;  // what compaction kept; long complete
        open.push_back(*std::move(record));
        if (!open.back().last) return true;
        revision = *at;
        for (Record& each : open) apply(each);
        open.clear();
        return true;
      }));
  RETURN_IF_ERROR(status);
  for (const Record& record : open) garbage.deletes.push_back(RecordKey(record.object->revision));
  if (!garbage.empty()) RETURN_IF_ERROR(storage_.Write(garbage));
  view_.set_revision(revision);
  view_.set_schema(options_.schema_of(view_));
  ConvertStored();
  durable_view_ = view_;
  return base::Status();
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

base::Result<Store::Committed> Store::Commit(Transaction transaction) {
  if (broken_)
    return base::Status(base::Code::kUnavailable, "the store failed; plumb is shutting down");
  if (transaction.writes.size() > kMaxTransactionWrites) {
    return base::Status(base::Code::kTooLarge,
                        "a transaction of " + std::to_string(transaction.writes.size()) +
                            " objects; the limit is " + std::to_string(kMaxTransactionWrites));
  }
  for (const Write& write : transaction.writes) {
    const ObjectPtr now = view_.Get(write.key);
    if ((now ? now->revision : 0) != write.expected) {
      return base::Status(base::Code::kConflict,
                          write.key.ToString() +
                              " was changed meanwhile; read it again and apply the change to that");
    }
    const size_t bytes = write.document ? write.document->Bytes().size() : 0;
    if (bytes <= kMaxObjectBytes) continue;
    const size_t limit =
        std::max(kMaxObjectBytes, manifests::FactsOf(write.key.resource).max_bytes);
    if (bytes > limit) {
      return base::Status(base::Code::kTooLarge,
                          write.key.ToString() + " has " + std::to_string(bytes) +
                              " bytes; the limit is " + std::to_string(limit));
    }
  }
  Committed committed;
  if (transaction.empty()) return committed;

  Revision revision = view_.revision();
  committed.first = revision + 1;
  if (pending_.empty()) {
    pending_.emplace_back();
  } else if (pending_.back().bytes > options_.max_batch_bytes) {
    pending_.back().after = view_;
    pending_.emplace_back();
  }
  const size_t log_start = log_.size();
  for (Write& write : transaction.writes) {
    const bool last = &write == &transaction.writes.back();
    ObjectPtr previous = view_.Get(write.key);
    CHECK(write.document ||
          previous);  // a removal names an object that exists: `expected` was not 0
    const base::Document& document = write.document ? *write.document : previous->document;
    auto object = std::make_shared<Object>();
    object->key = write.key;
    object->revision = ++revision;
    object->managers = owners_.Share(write.document ? write.managers : previous->managers);
    object->document = document.WithString("metadata", "resourceVersion", std::to_string(revision));
    write.document ? view_.Put(object) : view_.Remove(write.key);
    std::string record = EncodeRecord(Record{!write.document.has_value(), last, object});
    pending_.back().bytes += record.size();
    pending_.back().batch.puts.emplace_back(RecordKey(revision), std::move(record));
    committed.objects.push_back(object);
    Append(Change{revision, std::move(object), std::move(previous), !write.document.has_value(),
                  transaction.actor});
  }
  view_.set_revision(revision);
  committed.last = revision;
  ++stats_.commits;
  stats_.writes += transaction.writes.size();

  const std::vector<Change> changes(log_.begin() + static_cast<ptrdiff_t>(log_start), log_.end());
  Trim(pending_.back().batch);
  FlushSoon();
  for (const Change& change : changes) commit_listeners_.Tell(change);
  return committed;
}

void Store::Append(Change change) {
  superseded_bytes_ += SupersededBytes(change);
  log_.push_back(std::move(change));
}

// Forgets changes beyond the window. What a forgotten change superseded can no longer be asked for:
// its record goes. The window never shrinks below what is not durable yet.
void Store::Trim(StorageBatch& batch) {
  const Revision old_floor = floor_;
  while ((log_.size() > options_.log_window || superseded_bytes_ > options_.log_window_bytes) &&
         log_.front().revision <= durable()) {
    const Change& change = log_.front();
    superseded_bytes_ -= SupersededBytes(change);
    if (change.previous) batch.deletes.push_back(RecordKey(change.previous->revision));
    if (change.removed) batch.deletes.push_back(RecordKey(change.revision));
    floor_ = change.revision;
    log_.pop_front();
  }
  if (floor_ == old_floor) return;
  if (batch.puts.empty() || batch.puts.back().first != kFloorKey)
    batch.puts.emplace_back(kFloorKey, "");
  batch.puts.back().second = std::to_string(floor_);
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

void Store::Flush() {
  CHECK(!writing_);
  if (pending_.empty() || broken_) return;
  writing_ = true;
  auto batch = std::make_shared<StorageBatch>(std::move(pending_.front().batch));
  const View after = pending_.front().after.value_or(view_);
  pending_.pop_front();
  ++stats_.batches;
  loop_.OffloadTo(base::Loop::Lane::kStorage,
                  [this, &storage = storage_, batch, after, tie = lifeline_.tie()] {
                    const base::Status status = storage.Write(*batch);
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
  durable_view_ = after;
  if (!pending_.empty()) Flush();
  // Before the tasks, whose commits may push out of the window what the listeners read now.
  durable_listeners_.Tell();
  while (!waiting_.empty() && waiting_.begin()->first <= durable()) {
    base::Loop::Task task = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    task();
  }
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
