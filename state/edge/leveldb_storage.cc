// One LevelDB write with sync per batch. After a failed write LevelDB itself may go on behind a
// torn record of its log, and would then lose what it acknowledges: nothing is written until it was
// opened again, when recovery cuts the torn record off.
//
// A write that failed for want of room or descriptors, its own or that of LevelDB's thread, is
// held: LevelDB is closed and opened, its end compared with what was acknowledged last, and the
// same batch written again, until it is in. For that, room on the disk is kept in a file, which is
// given up first and made anew when there is room. After a failed sync, or any other error, what is
// on the disk is not known: this class refuses everything then.
//
// Recovery ends with a renamed file that nothing has synced yet, and a loss of power would bring
// back the files from before it, less a batch that was read meanwhile without having been
// acknowledged. So opening ends with a sync of its own: what a reader sees is durable.
//
// All checksums are verified, in the logs too: damage is reported, never skipped over.
#include "state/edge/leveldb_storage.h"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/edge/files.h"
#include "base/hash.h"
#include "base/log.h"
#include "state/edge/disk_reserve.h"
#include "state/edge/leveldb_env.h"

namespace state {
namespace {

inline constexpr mode_t kDirectoryMode = 0700;  // Secrets are in it

constexpr base::Duration kFirstWait = base::Duration::Millis(100);  // of a held write
constexpr base::Duration kLongestWait = base::Duration::Seconds(5);

bool Mentions(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

// LevelDB's errors have a kind and a text; which system error it was stands only in the text.
base::Status ToStatus(const leveldb::Status& status, const std::string& directory) {
  using base::Code;
  if (status.ok()) return {};
  const std::string text = status.ToString();
  if (status.IsNotFound()) return base::Status(Code::kNotFound, "no such key");
  if (status.IsCorruption()) {
    return base::Status(Code::kCorruption, "the data in " + directory + " is damaged (" + text +
                                               "); restore a backup into an empty --data-dir");
  }
  if (Mentions(text, "/LOCK: Resource temporarily unavailable") ||
      Mentions(text, "already held by process")) {
    return base::Status(Code::kUnavailable, "another plumb server uses " + directory +
                                                "; stop it or choose another --data-dir");
  }
  if (Mentions(text, "Permission denied") || Mentions(text, "Operation not permitted") ||
      Mentions(text, "Read-only file system")) {
    return base::Status(Code::kForbidden, "no permission to write in " + directory + " (" + text +
                                              "); run as its owner or choose another --data-dir");
  }
  if (Mentions(text, "No space left on device") || Mentions(text, "Disk quota exceeded")) {
    return base::Status(Code::kInternal, "the disk that holds " + directory +
                                             " is full; free some space, then start again");
  }
  return base::Status(Code::kInternal, "storage in " + directory + " failed: " + text);
}

constexpr char kReserveName[] = "/RESERVE";  // LevelDB leaves names alone that are none of its own
constexpr uint64_t kWritesToRefill = 1000;   // so often it is tried to make it anew

// What comes back if one waits for it, in words.
struct Lack {
  std::string what;
  bool room = false;  // on the disk
};

// nullopt: `status` is about something else.
std::optional<Lack> LackIn(const leveldb::Status& status, const std::string& directory) {
  if (LacksDescriptors(status)) {
    return Lack{"no more files can be opened for " + directory +
                " (raise the limit on open files)"};
  }
  const std::string text = status.ToString();
  if (Mentions(text, "No space left on device"))
    return Lack{"the disk that holds " + directory + " is full", true};
  if (Mentions(text, "Disk quota exceeded"))
    return Lack{"the quota of the disk that holds " + directory + " is used up", true};
  return std::nullopt;
}

// What a write waits for, and its waiting. Any thread.
class Patience {
 public:
  explicit Patience(std::function<void(base::Duration)> wait) : wait_(std::move(wait)) {}

  void Begin(std::string why) {
    const std::lock_guard lock(mutex_);
    if (why_ != why) base::LogError("the store waits", {{"reason", why}});
    why_ = std::move(why);
  }
  void End() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(why_, "").empty()) base::LogInfo("the store goes on");
  }
  std::string why() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }
  // False once it was given up.
  bool Wait(base::Duration time) {
    if (wait_) wait_(time);
    std::unique_lock lock(mutex_);
    const auto given_up = [this] { return given_up_; };
    if (wait_) return !given_up();
    return !changed_.wait_for(lock, std::chrono::nanoseconds(time.nanos()), given_up);
  }
  void GiveUp() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    changed_.notify_all();
  }

 private:
  const std::function<void(base::Duration)> wait_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string why_;
  bool given_up_ = false;
};

// Of what was acknowledged last, by its last put: what must still be there after an opening.
class LastPut {
 public:
  void Acknowledged(const StorageBatch& batch) {
    if (!batch.puts.empty()) {
      key_ = batch.puts.back().first;
      value_ = base::Fnv64(batch.puts.back().second);
    }
    if (Contains(batch.deletes, key_)) key_.clear();
  }
  // OK if it is in `db`, NotFound if it is not; another failure says that nobody knows. `next` may
  // be there as well, if it had failed after it was written.
  leveldb::Status Find(leveldb::DB& db, const StorageBatch& next) const {
    if (key_.empty() || Contains(next.deletes, key_)) return {};
    std::optional<uint64_t> rewritten;
    for (const auto& [key, value] : next.puts) {
      if (key == key_) rewritten = base::Fnv64(value);
    }
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    std::string value;
    const leveldb::Status read = db.Get(options, key_, &value);
    if (!read.ok()) return read;
    const uint64_t found = base::Fnv64(value);
    return found == value_ || found == rewritten ? leveldb::Status() : Missing();
  }
  static leveldb::Status Missing() {
    return leveldb::Status::NotFound("what was acknowledged last is not there any more");
  }

 private:
  static bool Contains(const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  }

  std::string key_;  // empty: nothing is known
  uint64_t value_ = 0;
};

class LevelDbStorage final : public Storage {
 public:
  LevelDbStorage(std::string directory, const LevelDbOptions& options)
      : directory_(std::move(directory)),
        reading_env_(options.env == nullptr ? std::make_unique<ReadingEnv>() : nullptr),
        env_(options.env == nullptr ? reading_env_.get() : options.env),
        cache_(leveldb::NewLRUCache(options.block_cache_bytes)),
        reserve_(directory_ + kReserveName, options.reserve_bytes),
        patience_(options.wait) {
    settings_.create_if_missing = true;
    settings_.paranoid_checks = true;
    settings_.env = &env_;
    settings_.write_buffer_size = options.write_buffer_bytes;
    settings_.max_file_size = options.max_file_bytes;
    settings_.max_open_files = options.max_open_files;
    settings_.block_cache = cache_.get();
  }

  base::Status Open() {
    leveldb::Status status = OpenDb();
    const std::optional<Lack> lack = LackIn(status, directory_);
    if (lack && lack->room && reserve_.GiveUp()) status = OpenDb();
    RETURN_IF_ERROR(ToStatus(status, directory_));
    reserve_.Fill();
    return {};
  }

  StorageLimits limits() const override { return {}; }
  std::string held() const override { return patience_.why(); }
  void GiveUp() override { patience_.GiveUp(); }

  base::Status Write(const StorageBatch& batch, const Fence& fence) override {
    RETURN_IF_ERROR(CheckUsable());
    RETURN_IF_ERROR(CheckLimits(batch, limits()));
    leveldb::Status status = CheckOwner(fence);
    if (IsAnothers(status)) return CheckFence(*this, fence);
    if (status.ok()) status = Put(batch);
    if (!status.ok()) status = Hold(batch, fence, std::move(status));
    if (!status.ok()) {
      broken_ = true;
      return ToStatus(status, directory_);
    }
    last_put_.Acknowledged(batch);
    if (!reserve_.filled() && ++writes_without_reserve_ % kWritesToRefill == 0) reserve_.Fill();
    return {};
  }

  base::Result<std::string> Get(std::string_view key) override {
    RETURN_IF_ERROR(CheckUsable());
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    std::string value;
    const leveldb::Status status =
        db_->Get(options, leveldb::Slice(key.data(), key.size()), &value);
    if (!status.ok()) return ToStatus(status, directory_);
    return value;
  }

  base::Status Scan(
      std::string_view first, std::string_view last,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override {
    RETURN_IF_ERROR(CheckUsable());
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    options.fill_cache = false;  // a scan reads each block once
    const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(options));
    for (it->Seek(leveldb::Slice(first.data(), first.size())); it->Valid(); it->Next()) {
      const std::string_view key(it->key().data(), it->key().size());
      if (!last.empty() && key >= last) break;
      if (!visit(key, std::string_view(it->value().data(), it->value().size()))) break;
    }
    return ToStatus(it->status(), directory_);
  }

 private:
  base::Status CheckUsable() const {
    if (!broken_) return {};
    return base::Status(base::Code::kInternal, "a write to the storage in " + directory_ +
                                                   " failed earlier; stop and start again");
  }

  leveldb::Status OpenDb() {
    leveldb::DB* db = nullptr;
    const leveldb::Status opened = leveldb::DB::Open(settings_, directory_, &db);
    if (!opened.ok()) return opened;
    db_.reset(db);
    return Put({});
  }

  leveldb::Status Put(const StorageBatch& batch) {
    leveldb::WriteBatch writes;
    for (const auto& [key, value] : batch.puts) writes.Put(key, value);
    for (const std::string& key : batch.deletes) writes.Delete(key);
    leveldb::WriteOptions options;
    options.sync = true;
    return db_->Write(options, &writes);
  }

  // CheckFence's answer; InvalidArgument if somebody else writes, else a read that failed.
  leveldb::Status CheckOwner(const Fence& fence) {
    const base::Status status = CheckFence(*this, fence);
    if (status.ok()) return {};
    const std::string why(status.message());
    return status.code() == base::Code::kConflict ? leveldb::Status::InvalidArgument(why)
                                                  : leveldb::Status::IOError(why);
  }
  static bool IsAnothers(const leveldb::Status& status) { return status.IsInvalidArgument(); }

  // Until `batch` is in, or its failure is none of those that pass.
  leveldb::Status Hold(const StorageBatch& batch, const Fence& fence, leveldb::Status failure) {
    for (base::Duration wait = kFirstWait;; wait = std::min(wait + wait, kLongestWait)) {
      const std::optional<Lack> lack = LackIn(failure, directory_);
      if (env_.sync_failed() || !lack) return failure;
      patience_.Begin(lack->what);
      db_.reset();
      const bool given_up = lack->room && reserve_.GiveUp();
      if (!given_up && !patience_.Wait(wait)) return failure;
      failure = OpenDb();
      if (failure.ok()) failure = last_put_.Find(*db_, batch);
      if (failure.IsNotFound()) return leveldb::Status::Corruption(LastPut::Missing().ToString());
      // It was nobody's for a moment.
      if (failure.ok()) failure = CheckOwner(fence);
      if (IsAnothers(failure))
        return leveldb::Status::IOError("another plumb has written to it meanwhile");
      if (failure.ok()) failure = Put(batch);
      if (failure.ok()) break;
    }
    patience_.End();
    return failure;
  }

  const std::string directory_;
  const std::unique_ptr<leveldb::Env> reading_env_;  // null: the caller's is read with
  GuardedEnv env_;                                   // outlives db_
  const std::unique_ptr<leveldb::Cache> cache_;      // outlives db_
  leveldb::Options settings_;
  DiskReserve reserve_;
  uint64_t writes_without_reserve_ = 0;
  Patience patience_;
  LastPut last_put_;
  std::unique_ptr<leveldb::DB> db_;  // null: a held write waits, or it failed for good
  bool broken_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Storage>> OpenLevelDb(const std::string& directory,
                                                   const LevelDbOptions& options) {
  if (options.env == nullptr) {
    RETURN_IF_ERROR(base::MakeDirectories(directory, kDirectoryMode));
  }
  auto storage = std::make_unique<LevelDbStorage>(directory, options);
  RETURN_IF_ERROR(storage->Open());
  return std::unique_ptr<Storage>(std::move(storage));
}

}  // namespace state
