// The Storage of a running server: LevelDB in a directory of its own, one process at a time.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "state/storage.h"

namespace leveldb {
class Env;
}

namespace state {

struct LevelDbOptions {
  size_t write_buffer_bytes = 16u << 20;  // in memory are up to two
  size_t max_file_bytes = 8u << 20;
  int max_open_files = 500;  // each a descriptor
  size_t block_cache_bytes = 16u << 20;
  leveldb::Env* env = nullptr;  // a fault-injecting one in tests; null: ReadingEnv
};

// Opens or creates it. Errors say what to do: kUnavailable if another process holds the directory,
// kForbidden without permission, kCorruption if it does not read back, kInternal for a full disk.
base::Result<std::unique_ptr<Storage>> OpenLevelDb(const std::string& directory,
                                                   const LevelDbOptions& options = {});

}  // namespace state
