// Storage: what keeps the log of the store: an ordered map from byte strings to byte strings with
// atomic, durable batches.
//
// Implementations: edge/leveldb_storage (the real one), testing/memory_storage (keeps real state,
// and forgets what was not synced when told to crash). Both pass testing/storage_contract. Calls
// block and come from one thread at a time, not the loop's (Store offloads them); held and GiveUp
// may be called by any.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace state {

struct StorageBatch {
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;

  bool empty() const { return puts.empty() && deletes.empty(); }
  size_t ByteSize() const;
};

// The largest that one Write takes.
struct StorageLimits {
  size_t key_bytes = 1024;
  size_t value_bytes = 8u << 20;
  size_t batch_bytes = 16u << 20;  // of all keys and values
  size_t batch_keys = 100'000;     // puts and deletes
};

// kTooLarge if a key, a value or all of them exceed `limits`. Every Write asks this first.
base::Status CheckLimits(const StorageBatch& batch, const StorageLimits& limits);

// How much one Write may still take.
class BatchRoom {
 public:
  explicit BatchRoom(const StorageLimits& limits) : limits_(limits) {}

  // Whether a put or delete of so many bytes may be added. The first one always may: the Storage
  // refuses it if it is too large alone.
  bool Fits(size_t bytes) const {
    return keys_ == 0 || (keys_ < limits_.batch_keys && bytes_ + bytes <= limits_.batch_bytes);
  }
  void Add(size_t bytes) {
    bytes_ += bytes;
    ++keys_;
  }
  bool empty() const { return keys_ == 0; }
  void Clear() { bytes_ = keys_ = 0; }

 private:
  const StorageLimits limits_;
  size_t bytes_ = 0, keys_ = 0;
};

// A batch that grows as far as `limits` allow.
class BatchBuilder {
 public:
  explicit BatchBuilder(const StorageLimits& limits) : room_(limits) {}

  bool Fits(size_t bytes) const { return room_.Fits(bytes); }
  void Put(std::string key, std::string value);
  void Delete(std::string key);
  bool empty() const { return room_.empty(); }
  // What was added since the last call.
  StorageBatch Take();

 private:
  BatchRoom room_;
  StorageBatch batch_;
};

// What a writer believes of who may write: that `key` holds `value` (nothing: is not there). A
// Storage that several may write to compares it in the same transaction. An empty key asks nothing.
struct Fence {
  std::string key;
  std::optional<std::string> value;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // The same in the whole life of the Storage.
  virtual StorageLimits limits() const = 0;

  // All of `batch` or nothing, durable (synced) when it returns OK. Puts are done in order, then
  // deletes: of one key the last put wins, and a delete over all. kTooLarge (beyond limits()) and
  // kConflict (the fence does not hold: somebody else writes here now) refuse it: nothing has
  // changed. For want of what comes back (room on the disk, descriptors) it waits as long as it
  // takes, and says so by held(). After any other error (kCorruption; kInternal: I/O) the state on
  // disk is unknown and every call fails: the caller must stop and reopen.
  virtual base::Status Write(const StorageBatch& batch, const Fence& fence) = 0;

  // kNotFound if there is no such key.
  virtual base::Result<std::string> Get(std::string_view key) = 0;

  // Calls `visit` for each pair with first <= key < last ("" means no bound) in key order, until it
  // returns false.
  virtual base::Status Scan(
      std::string_view first, std::string_view last,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;

  // What the Write under way waits for ("the disk that holds /data is full"); empty: it does not.
  virtual std::string held() const { return {}; }
  // What waits, or would wait from now on, fails: the process ends.
  virtual void GiveUp() {}
};

// OK or kConflict, by what `storage` holds: for a Storage that only one process has open.
base::Status CheckFence(Storage& storage, const Fence& fence);

}  // namespace state
