// One LevelDB write with sync per batch. After a failed write LevelDB itself may go on behind a
// torn record of its log, and would then lose what it acknowledges: this class refuses everything
// until it is reopened, when recovery cuts the torn record off.
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

#include <utility>

#include "base/edge/files.h"
#include "state/edge/leveldb_env.h"

namespace state {
namespace {

inline constexpr mode_t kDirectoryMode = 0700;  // Secrets are in it

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

class LevelDbStorage final : public Storage {
 public:
  LevelDbStorage(std::string directory, std::unique_ptr<leveldb::Env> env,
                 std::unique_ptr<leveldb::Cache> cache, std::unique_ptr<leveldb::DB> db)
      : directory_(std::move(directory)),
        env_(std::move(env)),
        cache_(std::move(cache)),
        db_(std::move(db)) {}

  StorageLimits limits() const override { return {}; }

  base::Status Write(const StorageBatch& batch, const Fence& fence) override {
    RETURN_IF_ERROR(CheckUsable());
    RETURN_IF_ERROR(CheckLimits(batch, limits()));
    RETURN_IF_ERROR(CheckFence(*this, fence));
    leveldb::WriteBatch writes;
    for (const auto& [key, value] : batch.puts) writes.Put(key, value);
    for (const std::string& key : batch.deletes) writes.Delete(key);
    leveldb::WriteOptions options;
    options.sync = true;
    const leveldb::Status status = db_->Write(options, &writes);
    if (!status.ok()) broken_ = true;
    return ToStatus(status, directory_);
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

  const std::string directory_;
  const std::unique_ptr<leveldb::Env> env_;      // null: the caller's; outlives db_
  const std::unique_ptr<leveldb::Cache> cache_;  // outlives db_
  const std::unique_ptr<leveldb::DB> db_;
  bool broken_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Storage>> OpenLevelDb(const std::string& directory,
                                                   const LevelDbOptions& options) {
  if (options.env == nullptr) {
    RETURN_IF_ERROR(base::MakeDirectories(directory, kDirectoryMode));
  }
  std::unique_ptr<leveldb::Env> env;
  if (options.env == nullptr) env = std::make_unique<ReadingEnv>();
  std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(options.block_cache_bytes));
  leveldb::Options settings;
  settings.create_if_missing = true;
  settings.paranoid_checks = true;
  settings.env = options.env != nullptr ? options.env : env.get();
  settings.write_buffer_size = options.write_buffer_bytes;
  settings.max_file_size = options.max_file_bytes;
  settings.max_open_files = options.max_open_files;
  settings.block_cache = cache.get();
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(settings, directory, &db);
  if (!status.ok()) return ToStatus(status, directory);
  auto storage = std::make_unique<LevelDbStorage>(directory, std::move(env), std::move(cache),
                                                  std::unique_ptr<leveldb::DB>(db));
  RETURN_IF_ERROR(storage->Write({}, {}));
  return std::unique_ptr<Storage>(std::move(storage));
}

}  // namespace state
