// Storage: what keeps the log of the store: an ordered map from byte strings to byte strings with
// atomic, durable batches.
//
// Implementations: edge/leveldb_storage (the real one), testing/memory_storage (keeps real state,
// and forgets what was not synced when told to crash). Both pass testing/storage_contract. Calls
// block and come from one thread at a time, not the loop's (Store offloads them).
#pragma once

#include <functional>
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

inline constexpr size_t kMaxStorageKeyBytes = 1024;
inline constexpr size_t kMaxStorageValueBytes = 8u << 20;

// kTooLarge if a key or value exceeds them. Every Write asks this first.
base::Status CheckLimits(const StorageBatch& batch);

class Storage {
 public:
  virtual ~Storage() = default;

  // All of `batch` or nothing, durable (synced) when it returns OK. Puts are done in order, then
  // deletes: of one key the last put wins, and a delete over all. kTooLarge: refused, nothing has
  // changed. After any other error (kCorruption; kInternal: I/O, disk full) the state on disk is
  // unknown and every call fails: the caller must stop and reopen.
  virtual base::Status Write(const StorageBatch& batch) = 0;

  // kNotFound if there is no such key.
  virtual base::Result<std::string> Get(std::string_view key) = 0;

  // Calls `visit` for each pair with first <= key < last ("" means no bound) in key order, until it
  // returns false.
  virtual base::Status Scan(
      std::string_view first, std::string_view last,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;
};

}  // namespace state
