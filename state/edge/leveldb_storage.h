// The Storage of a running server: LevelDB in a directory of its own, one process at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "state/storage.h"

namespace leveldb {
class Env;
}

namespace state {

inline constexpr int kMaxStoreFiles = 500;
inline constexpr int kMinStoreFiles = 74;  // LevelDB takes no fewer

struct LevelDbOptions {
  size_t write_buffer_bytes = 16u << 20;  // in memory are up to two
  size_t max_file_bytes = 8u << 20;
  int max_open_files = kMaxStoreFiles;  // each a descriptor; kMinStoreFiles at least
  size_t block_cache_bytes = 16u << 20;
  size_t reserve_bytes = 64u << 20;  // of the disk (disk_reserve.h)
  leveldb::Env* env = nullptr;       // a fault-injecting one in tests; null: ReadingEnv
  // How a held write waits before its next attempt; in tests. Null: on the clock.
  std::function<void(base::Duration)> wait;
};

// Opens or creates it. Errors say what to do: kUnavailable if another process holds the directory,
// kForbidden without permission, kCorruption if it does not read back, kInternal for a full disk.
base::Result<std::unique_ptr<Storage>> OpenLevelDb(const std::string& directory,
                                                   const LevelDbOptions& options = {});

}  // namespace state
