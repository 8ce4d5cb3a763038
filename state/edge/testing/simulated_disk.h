// SimulatedDisk: a leveldb::Env whose files live in memory and that can fail and lose power.
//
// It behaves as a journaling file system does. Data is durable once its file was synced. Changes of
// names (create, rename, remove) become durable in the order in which they were made, and at the
// latest by the next sync of any file. A loss of power keeps a random beginning of the rest: some
// of the name changes, and some of each file's unsynced tail. Threads and time are the system's.
// Any thread; LosePower and EndProcess need the database closed.
#pragma once

#include <leveldb/env.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"

namespace state {

class SimulatedDisk final : public leveldb::EnvWrapper {
 public:
  enum class Failure {
    kOnce,        // one operation fails, as when the disk was full for a moment
    kFromThenOn,  // all fail, as when the device went away
  };

  explicit SimulatedDisk(uint64_t seed);

  // Lets `operations` changes of the disk (create, append, sync, rename, remove) succeed, then
  // fails. A failing append may have written a part.
  void FailAfter(uint64_t operations, Failure failure);
  // In these words of the system's, not "injected fault".
  void FailWith(std::string reason) { reason_ = std::move(reason); }
  bool failed() const;       // whether an operation has failed since the last FailAfter
  bool sync_failed() const;  // whether one of them was a sync
  void LosePower();          // forgets what was not durable; failures end
  void EndProcess();         // failures end; the page cache stays as it is
  // A device that says it has synced and has not: for showing that a test would notice.
  void LieAboutSyncs() { lying_ = true; }

  leveldb::Status NewSequentialFile(const std::string& name,
                                    leveldb::SequentialFile** result) override;
  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** result) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** result) override;
  leveldb::Status NewAppendableFile(const std::string& name,
                                    leveldb::WritableFile** result) override;
  bool FileExists(const std::string& name) override;
  leveldb::Status GetChildren(const std::string& directory,
                              std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status CreateDir(const std::string& name) override;
  leveldb::Status RemoveDir(const std::string& name) override;
  leveldb::Status GetFileSize(const std::string& name, uint64_t* bytes) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** result) override;

 private:
  struct File {
    std::string data;
    size_t synced = 0;  // bytes at the front that a loss of power leaves
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct NameChange {
    std::string name;
    std::shared_ptr<File> file;  // null: the name is removed
  };
  class Writer;
  class SequentialReader;
  class RandomReader;
  class Lock;

  bool Fails();  // counts one operation
  leveldb::Status Injected() const { return leveldb::Status::IOError("disk", reason_); }
  void Change(std::vector<NameChange> together);
  static void Apply(const std::vector<NameChange>& together, Names& names);
  std::shared_ptr<File> Find(const std::string& name);
  leveldb::Status Append(File& file, const leveldb::Slice& data);
  leveldb::Status Sync(File& file);
  leveldb::Status Read(const File& file, uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch);

  mutable std::mutex mutex_;
  base::Rng rng_;
  Names names_;                                   // what programs see
  Names durable_names_;                           // what a loss of power leaves at least
  std::vector<std::vector<NameChange>> journal_;  // from the one to the other
  std::set<std::string> locks_;
  uint64_t until_failure_ = UINT64_MAX;
  Failure failure_ = Failure::kOnce;
  bool failed_ = false, sync_failed_ = false;
  std::string reason_ = "injected fault";
  bool lying_ = false;
};

}  // namespace state
