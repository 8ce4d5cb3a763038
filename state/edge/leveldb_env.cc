#include "state/edge/leveldb_env.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/edge/files.h"

namespace state {
namespace {

leveldb::Status ErrorOf(const std::string& path, int error) {
  return error == ENOENT ? leveldb::Status::NotFound(path, std::strerror(error))
                         : leveldb::Status::IOError(path, std::strerror(error));
}

class TableFile final : public leveldb::RandomAccessFile {
 public:
  TableFile(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result,
                       char* scratch) const override {
    size_t done = 0;
    while (done < n) {
      const ssize_t got =
          pread(fd_.get(), scratch + done, n - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrorOf(path_, errno);
      if (got == 0) break;  // the file ends here
      done += static_cast<size_t>(got);
    }
    *result = leveldb::Slice(scratch, done);
    return leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const base::UniqueFd fd_;
};

}  // namespace

leveldb::Status ReadingEnv::NewRandomAccessFile(const std::string& path,
                                                leveldb::RandomAccessFile** file) {
  *file = nullptr;
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrorOf(path, errno);
  *file = new TableFile(path, std::move(fd));
  return leveldb::Status::OK();
}

// Which system error it was stands only in the text; ENFILE's continues this one.
bool LacksDescriptors(const leveldb::Status& status) {
  return status.ToString().find("Too many open files") != std::string::npos;
}

GuardedEnv::GuardedEnv(leveldb::Env* target) : EnvWrapper(target) { FillReserve(); }

void GuardedEnv::FillReserve() {
  const std::lock_guard lock(mutex_);
  while (reserve_.size() < kReservedDescriptors) {
    base::UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return;
    reserve_.push_back(std::move(fd));
  }
}

bool GuardedEnv::GiveOneUp() {
  const std::lock_guard lock(mutex_);
  if (reserve_.empty()) return false;
  reserve_.pop_back();
  return true;
}

template <typename Open>
leveldb::Status GuardedEnv::WithReserve(Open open) {
  leveldb::Status status = open();
  while (LacksDescriptors(status) && GiveOneUp()) status = open();
  if (status.ok()) FillReserve();
  return status;
}

class GuardedEnv::File final : public leveldb::WritableFile {
 public:
  File(GuardedEnv& env, leveldb::WritableFile* target) : env_(env), target_(target) {}
  leveldb::Status Append(const leveldb::Slice& data) override { return target_->Append(data); }
  leveldb::Status Close() override { return target_->Close(); }
  leveldb::Status Flush() override { return target_->Flush(); }
  // What a sync would write first is written here: a full disk is no failed sync. A manifest's
  // opens its directory before anything is synced: without a descriptor nothing has been.
  leveldb::Status Sync() override {
    if (const leveldb::Status flushed = target_->Flush(); !flushed.ok()) return flushed;
    const leveldb::Status synced = env_.WithReserve([this] { return target_->Sync(); });
    if (!synced.ok() && !LacksDescriptors(synced)) env_.sync_failed_ = true;
    return synced;
  }

 private:
  GuardedEnv& env_;
  const std::unique_ptr<leveldb::WritableFile> target_;
};

leveldb::Status GuardedEnv::Guard(leveldb::Status opened, leveldb::WritableFile** file) {
  if (opened.ok()) *file = new File(*this, *file);
  return opened;
}

leveldb::Status GuardedEnv::NewSequentialFile(const std::string& path,
                                              leveldb::SequentialFile** file) {
  return WithReserve([&] { return target()->NewSequentialFile(path, file); });
}

leveldb::Status GuardedEnv::NewRandomAccessFile(const std::string& path,
                                                leveldb::RandomAccessFile** file) {
  return WithReserve([&] { return target()->NewRandomAccessFile(path, file); });
}

leveldb::Status GuardedEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  return Guard(WithReserve([&] { return target()->NewWritableFile(path, file); }), file);
}

leveldb::Status GuardedEnv::NewAppendableFile(const std::string& path,
                                              leveldb::WritableFile** file) {
  return Guard(WithReserve([&] { return target()->NewAppendableFile(path, file); }), file);
}

}  // namespace state
