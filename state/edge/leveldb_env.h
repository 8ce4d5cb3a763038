// The system's Env of LevelDB, but for tables: they are read, where LevelDB would map them into
// memory. What is read once stays the kernel's cache then, not this process's memory; and a disk
// that fails under a read is a Status, where a mapped page would end the process.
//
// Any thread.
#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "base/edge/files.h"

namespace state {

class ReadingEnv final : public leveldb::EnvWrapper {
 public:
  ReadingEnv() : EnvWrapper(leveldb::Env::Default()) {}
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
};

// Whether an operation failed only for want of descriptors.
bool LacksDescriptors(const leveldb::Status& status);

// Over another Env: remembers a failed sync, after which nothing is known of what is durable, and
// keeps descriptors in reserve: where none is left, a file is opened with one of those.
class GuardedEnv final : public leveldb::EnvWrapper {
 public:
  explicit GuardedEnv(leveldb::Env* target);  // outlives it

  bool sync_failed() const { return sync_failed_; }

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;

 private:
  class File;
  // What `open` says, with a descriptor of the reserve where it lacks one.
  template <typename Open>
  leveldb::Status WithReserve(Open open);
  leveldb::Status Guard(leveldb::Status opened, leveldb::WritableFile** file);
  void FillReserve();
  bool GiveOneUp();

  std::atomic<bool> sync_failed_{false};
  std::mutex mutex_;
  std::vector<base::UniqueFd> reserve_;
};

inline constexpr size_t kReservedDescriptors =
    16;  // the files that LevelDB opens at once are fewer

}  // namespace state
