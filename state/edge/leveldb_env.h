// The system's Env of LevelDB, but for tables: they are read, where LevelDB would map them into
// memory. What is read once stays the kernel's cache then, not this process's memory; and a disk
// that fails under a read is a Status, where a mapped page would end the process.
//
// Any thread.
#pragma once

#include <leveldb/env.h>

#include <string>

namespace state {

class ReadingEnv final : public leveldb::EnvWrapper {
 public:
  ReadingEnv() : EnvWrapper(leveldb::Env::Default()) {}
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
};

}  // namespace state
