#include "state/edge/testing/simulated_disk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace state {
namespace {

leveldb::Status NoSuchFile(const std::string& name) { return leveldb::Status::NotFound(name); }

}  // namespace

class SimulatedDisk::Writer final : public leveldb::WritableFile {
 public:
  Writer(SimulatedDisk* disk, std::shared_ptr<File> file) : disk_(disk), file_(std::move(file)) {}
  leveldb::Status Append(const leveldb::Slice& data) override {
    return disk_->Append(*file_, data);
  }
  leveldb::Status Close() override { return {}; }
  leveldb::Status Flush() override { return {}; }
  leveldb::Status Sync() override { return disk_->Sync(*file_); }

 private:
  SimulatedDisk* const disk_;
  const std::shared_ptr<File> file_;
};

class SimulatedDisk::SequentialReader final : public leveldb::SequentialFile {
 public:
  SequentialReader(SimulatedDisk* disk, std::shared_ptr<File> file)
      : disk_(disk), file_(std::move(file)) {}
  leveldb::Status Read(size_t n, leveldb::Slice* result, char* scratch) override {
    const leveldb::Status status = disk_->Read(*file_, offset_, n, result, scratch);
    offset_ += result->size();
    return status;
  }
  leveldb::Status Skip(uint64_t n) override {
    offset_ += n;
    return {};
  }

 private:
  SimulatedDisk* const disk_;
  const std::shared_ptr<File> file_;
  uint64_t offset_ = 0;
};

class SimulatedDisk::RandomReader final : public leveldb::RandomAccessFile {
 public:
  RandomReader(SimulatedDisk* disk, std::shared_ptr<File> file)
      : disk_(disk), file_(std::move(file)) {}
  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch) const override {
    return disk_->Read(*file_, offset, n, result, scratch);
  }

 private:
  SimulatedDisk* const disk_;
  const std::shared_ptr<File> file_;
};

class SimulatedDisk::Lock final : public leveldb::FileLock {
 public:
  explicit Lock(std::string lock_name) : name(std::move(lock_name)) {}
  const std::string name;
};

SimulatedDisk::SimulatedDisk(uint64_t seed)
    : leveldb::EnvWrapper(leveldb::Env::Default()), rng_(seed) {}

void SimulatedDisk::FailAfter(uint64_t operations, Failure failure) {
  const std::lock_guard lock(mutex_);
  until_failure_ = operations;
  failure_ = failure;
  failed_ = sync_failed_ = false;
}

bool SimulatedDisk::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

bool SimulatedDisk::sync_failed() const {
  const std::lock_guard lock(mutex_);
  return sync_failed_;
}

void SimulatedDisk::LosePower() {
  const std::lock_guard lock(mutex_);
  const uint64_t kept = rng_.Below(journal_.size() + 1);
  for (uint64_t i = 0; i < kept; ++i) Apply(journal_[i], durable_names_);
  journal_.clear();
  for (auto& [name, file] : durable_names_) {
    file->data.resize(file->synced + rng_.Below(file->data.size() - file->synced + 1));
    file->synced = file->data.size();
  }
  names_ = durable_names_;
  locks_.clear();
  until_failure_ = UINT64_MAX;
}

void SimulatedDisk::EndProcess() {
  const std::lock_guard lock(mutex_);
  locks_.clear();
  until_failure_ = UINT64_MAX;
}

bool SimulatedDisk::Fails() {
  if (until_failure_ > 0) {
    if (until_failure_ != UINT64_MAX) --until_failure_;
    return false;
  }
  failed_ = true;
  if (failure_ == Failure::kOnce) until_failure_ = UINT64_MAX;
  return true;
}

void SimulatedDisk::Apply(const std::vector<NameChange>& together, Names& names) {
  for (const NameChange& change : together) {
    if (change.file == nullptr) {
      names.erase(change.name);
    } else {
      names[change.name] = change.file;
    }
  }
}

// One atomic step of the journal.
void SimulatedDisk::Change(std::vector<NameChange> together) {
  Apply(together, names_);
  journal_.push_back(std::move(together));
}

std::shared_ptr<SimulatedDisk::File> SimulatedDisk::Find(const std::string& name) {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

leveldb::Status SimulatedDisk::Append(File& file, const leveldb::Slice& data) {
  const std::lock_guard lock(mutex_);
  if (Fails()) {
    file.data.append(data.data(), rng_.Below(data.size() + 1));
    return Injected();
  }
  file.data.append(data.data(), data.size());
  return {};
}

leveldb::Status SimulatedDisk::Sync(File& file) {
  const std::lock_guard lock(mutex_);
  if (Fails()) {
    sync_failed_ = true;
    return Injected();
  }
  if (lying_) return {};
  file.synced = file.data.size();
  for (const std::vector<NameChange>& step : journal_) Apply(step, durable_names_);
  journal_.clear();
  return {};
}

leveldb::Status SimulatedDisk::Read(const File& file, uint64_t offset, size_t n,
                                    leveldb::Slice* result, char* scratch) {
  const std::lock_guard lock(mutex_);
  const size_t start = std::min<uint64_t>(offset, file.data.size());
  const size_t length = std::min(n, file.data.size() - start);
  std::memcpy(scratch, file.data.data() + start, length);
  *result = leveldb::Slice(scratch, length);
  return {};
}

leveldb::Status SimulatedDisk::NewSequentialFile(const std::string& name,
                                                 leveldb::SequentialFile** result) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<File> file = Find(name);
  *result = file ? new SequentialReader(this, file) : nullptr;
  return file ? leveldb::Status() : NoSuchFile(name);
}

leveldb::Status SimulatedDisk::NewRandomAccessFile(const std::string& name,
                                                   leveldb::RandomAccessFile** result) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<File> file = Find(name);
  *result = file ? new RandomReader(this, file) : nullptr;
  return file ? leveldb::Status() : NoSuchFile(name);
}

leveldb::Status SimulatedDisk::NewWritableFile(const std::string& name,
                                               leveldb::WritableFile** result) {
  const std::lock_guard lock(mutex_);
  *result = nullptr;
  if (Fails()) return Injected();
  const auto file = std::make_shared<File>();
  Change({{name, file}});
  *result = new Writer(this, file);
  return {};
}

leveldb::Status SimulatedDisk::NewAppendableFile(const std::string& name,
                                                 leveldb::WritableFile** result) {
  {
    const std::lock_guard lock(mutex_);
    if (const std::shared_ptr<File> file = Find(name)) {
      *result = new Writer(this, file);
      return {};
    }
  }
  return NewWritableFile(name, result);
}

bool SimulatedDisk::FileExists(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return Find(name) != nullptr;
}

leveldb::Status SimulatedDisk::GetChildren(const std::string& directory,
                                           std::vector<std::string>* names) {
  const std::lock_guard lock(mutex_);
  names->clear();
  const std::string prefix = directory + "/";
  for (auto it = names_.lower_bound(prefix); it != names_.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    names->push_back(it->first.substr(prefix.size()));
  }
  return {};
}

leveldb::Status SimulatedDisk::RemoveFile(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (Find(name) == nullptr) return NoSuchFile(name);
  if (Fails()) return Injected();
  Change({{name, nullptr}});
  return {};
}

// Directories need no keeping: the files' names hold them.
leveldb::Status SimulatedDisk::CreateDir(const std::string&) { return {}; }
leveldb::Status SimulatedDisk::RemoveDir(const std::string&) { return {}; }

leveldb::Status SimulatedDisk::GetFileSize(const std::string& name, uint64_t* bytes) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<File> file = Find(name);
  *bytes = file ? file->data.size() : 0;
  return file ? leveldb::Status() : NoSuchFile(name);
}

leveldb::Status SimulatedDisk::RenameFile(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<File> file = Find(from);
  if (file == nullptr) return NoSuchFile(from);
  if (Fails()) return Injected();
  Change({{from, nullptr}, {to, file}});
  return {};
}

leveldb::Status SimulatedDisk::LockFile(const std::string& name, leveldb::FileLock** lock) {
  const std::lock_guard guard(mutex_);
  *lock = nullptr;
  if (!locks_.insert(name).second) {
    return leveldb::Status::IOError("lock " + name, "already held by process");
  }
  *lock = new Lock(name);
  return {};
}

leveldb::Status SimulatedDisk::UnlockFile(leveldb::FileLock* lock) {
  const std::lock_guard guard(mutex_);
  locks_.erase(static_cast<Lock*>(lock)->name);
  delete lock;
  return {};
}

leveldb::Status SimulatedDisk::NewLogger(const std::string& name, leveldb::Logger** result) {
  *result = nullptr;
  return leveldb::Status::NotSupported(name);
}

}  // namespace state
