#include "state/edge/leveldb_storage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/edge/files.h"
#include "state/edge/leveldb_env.h"
#include "state/edge/testing/simulated_disk.h"
#include "state/testing/storage_contract.h"

namespace state {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~TemporaryDirectory() { EXPECT_EQ(base::RemoveTree(path_).ToString(), "OK"); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "/plumb-leveldb-XXXXXX";
};

std::unique_ptr<Storage> Open(const std::string& directory, leveldb::Env* env = nullptr) {
  LevelDbOptions options;
  options.env = env;
  base::Result<std::unique_ptr<Storage>> storage = OpenLevelDb(directory, options);
  EXPECT_EQ(storage.status().ToString(), "OK");
  return storage.ok() ? *std::move(storage) : nullptr;
}

class DiskDriver final : public StorageDriver {
 public:
  Storage& storage() override { return *storage_; }
  void Reopen() override {
    storage_.reset();
    storage_ = Open(directory_.path());
  }
  bool FailNextWrite() override { return false; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Storage> storage_ = Open(directory_.path());
};

class SimulatedDiskDriver final : public StorageDriver {
 public:
  Storage& storage() override { return *storage_; }
  void Reopen() override {
    storage_.reset();
    disk_.LosePower();
    storage_ = Open("/data", &disk_);
  }
  bool FailNextWrite() override {
    disk_.FailAfter(0, SimulatedDisk::Failure::kOnce);
    return true;
  }

 private:
  SimulatedDisk disk_{5};
  std::unique_ptr<Storage> storage_ = Open("/data", &disk_);
};

std::unique_ptr<StorageDriver> MakeDiskDriver() { return std::make_unique<DiskDriver>(); }
std::unique_ptr<StorageDriver> MakeSimulatedDiskDriver() {
  return std::make_unique<SimulatedDiskDriver>();
}

INSTANTIATE_TEST_SUITE_P(Storages, StorageContract,
                         testing::Values(StorageUnderTest{"LevelDb", &MakeDiskDriver},
                                         StorageUnderTest{"LevelDbOnSimulatedDisk",
                                                          &MakeSimulatedDiskDriver}),
                         StorageName);

// What opening `directory` says, with the directory shown as DIR.
std::string OpenText(const std::string& directory, leveldb::Env* env = nullptr) {
  LevelDbOptions options;
  options.env = env;
  std::string text = OpenLevelDb(directory, options).status().ToString();
  for (size_t at; (at = text.find(directory)) != std::string::npos;) {
    text.replace(at, directory.size(), "DIR");
  }
  return text;
}

TEST(LevelDbStorageTest, SecondOpenerIsToldWhatToDo) {
  const TemporaryDirectory directory;
  const std::unique_ptr<Storage> first = Open(directory.path());
  EXPECT_EQ(OpenText(directory.path()),
            "ServiceUnavailable: another plumb server uses DIR; stop it or choose another "
            "--data-dir");
}

// Holds LevelDB's lock on a directory in a process of its own, until it ends.
class LockHolder {
 public:
  explicit LockHolder(const std::string& directory) {
    int ready[2], end[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(end, O_CLOEXEC), 0);
    const base::UniqueFd ready_read(ready[0]), end_read(end[0]);
    base::UniqueFd ready_write(ready[1]);
    end_.Reset(end[1]);
    const base::UniqueFd file(open((directory + "/LOCK").c_str(), O_RDWR | O_CLOEXEC));
    child_ = fork();
    if (child_ == 0) {  // only system calls from here: other threads' locks may be held
      close(end[1]);
      struct flock whole = {};
      whole.l_type = F_WRLCK;
      const bool locked = fcntl(file.get(), F_SETLK, &whole) == 0;
      char byte = locked ? 'l' : 'n';
      if (write(ready[1], &byte, 1) == 1) (void)!read(end[0], &byte, 1);
      _exit(0);
    }
    ready_write.Reset();
    char byte = 0;
    EXPECT_EQ(read(ready_read.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'l');
  }
  ~LockHolder() {
    end_.Reset();
    EXPECT_EQ(waitpid(child_, nullptr, 0), child_);
  }

 private:
  base::UniqueFd end_;
  pid_t child_ = -1;
};

TEST(LevelDbStorageTest, OpenerInAnotherProcessIsToldTheSame) {
  const TemporaryDirectory directory;
  Open(directory.path()).reset();
  {
    const LockHolder holder(directory.path());
    EXPECT_EQ(OpenText(directory.path()),
              "ServiceUnavailable: another plumb server uses DIR; stop it or choose another "
              "--data-dir");
  }
  EXPECT_EQ(OpenText(directory.path()), "OK");
}

TEST(LevelDbStorageTest, DirectoryIsMadeForItsOwnerOnly) {
  const TemporaryDirectory directory;
  const std::string nested = directory.path() + "/data/store";
  ASSERT_NE(Open(nested), nullptr);
  struct stat about;
  ASSERT_EQ(stat(nested.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700u);
}

TEST(LevelDbStorageTest, FileInPlaceOfTheDirectoryIsNamed) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/file";
  ASSERT_TRUE(base::WriteFileAtomic(file, "", 0644).ok());
  EXPECT_EQ(OpenText(file), "AlreadyExists: cannot create directory DIR: DIR is a file");
}

TEST(LevelDbStorageTest, DamageIsReportedAndNotSkipped) {
  const TemporaryDirectory directory;
  {
    const std::unique_ptr<Storage> storage = Open(directory.path());
    for (const char* key : {"a", "b", "c"}) {
      ASSERT_TRUE(storage->Write({{{key, std::string(1000, 'v')}}, {}}, {}).ok());
    }
  }
  // The first log holds the batches; a byte of the first one changes.
  const std::string log = directory.path() + "/000003.log";
  base::Result<std::string> content = base::ReadFile(log, 1 << 20);
  ASSERT_TRUE(content.ok()) << content.status().ToString();
  (*content)[100] = 'X';
  ASSERT_TRUE(base::WriteFileAtomic(log, *content, 0644).ok());
  EXPECT_EQ(OpenText(directory.path()),
            "Corruption: the data in DIR is damaged (Corruption: checksum mismatch); restore a "
            "backup into an empty --data-dir");
  EXPECT_EQ(OpenLevelDb(directory.path()).status().code(), base::Code::kCorruption);
}

// Writes more than a buffer, so that what is read back comes from tables.
TEST(LevelDbStorageTest, TablesAreReadAndNotMapped) {
  const TemporaryDirectory directory;
  LevelDbOptions options;
  options.write_buffer_bytes = 64 << 10;
  base::Result<std::unique_ptr<Storage>> storage = OpenLevelDb(directory.path(), options);
  ASSERT_TRUE(storage.ok());
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(1000 + i);
    ASSERT_TRUE((*storage)->Write({{{number, number + std::string(1000, 'v')}}, {}}, {}).ok());
  }
  storage->reset();
  storage = OpenLevelDb(directory.path(), options);
  ASSERT_TRUE(storage.ok());
  int found = 0;
  const auto count = [&](std::string_view key, std::string_view value) {
    found += value.size() == 1004 && value.starts_with(key);
    return true;
  };
  ASSERT_TRUE((*storage)->Scan("", "", count).ok());
  EXPECT_EQ(found, 300);
  EXPECT_EQ((*storage)->Get("1007")->substr(0, 5), "1007v");
  const base::Result<std::vector<std::string>> files = base::ListDirectory(directory.path());
  ASSERT_TRUE(files.ok());
  EXPECT_TRUE(std::any_of(files->begin(), files->end(),
                          [](const std::string& name) { return name.ends_with(".ldb"); }));
  const base::Result<std::string> maps = base::ReadFile("/proc/self/maps", 16 << 20);
  ASSERT_TRUE(maps.ok());
  EXPECT_EQ(maps->find(directory.path()), std::string::npos);
}

// All descriptors that the process may have, but those that are open.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit few = before_;
    few.rlim_cur = 256;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.emplace_back(fd);
    EXPECT_EQ(errno, EMFILE);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<base::UniqueFd> taken_;
};

// Each new log of LevelDB's is a descriptor that the process has no more.
TEST(LevelDbStorageTest, TheReserveOpensFilesWhenTheProcessMayOpenNoMore) {
  const TemporaryDirectory directory;
  LevelDbOptions options;
  options.write_buffer_bytes = 64 << 10;
  Storage* held = nullptr;
  options.wait = [&](base::Duration) { held->GiveUp(); };
  base::Result<std::unique_ptr<Storage>> storage = OpenLevelDb(directory.path(), options);
  ASSERT_TRUE(storage.ok());
  held = storage->get();
  const NoDescriptors none;
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(1000 + i);
    ASSERT_TRUE((*storage)->Write({{{number, std::string(1000, 'v')}}, {}}, {}).ok()) << i;
  }
}

// A disk that is full as long as the reserve holds the rest of it.
class FullDisk final : public leveldb::EnvWrapper {
 public:
  explicit FullDisk(std::string directory)
      : leveldb::EnvWrapper(leveldb::Env::Default()), directory_(std::move(directory)) {}
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override {
    *file = nullptr;
    if (FileExists(directory_ + "/RESERVE"))
      return leveldb::Status::IOError(path, "No space left on device");
    return target()->NewWritableFile(path, file);
  }

 private:
  const std::string directory_;
};

TEST(LevelDbStorageTest, TheReserveOnTheDiskIsGivenUpBeforeAnybodyWaits) {
  const TemporaryDirectory directory;
  FullDisk disk(directory.path());
  LevelDbOptions options;
  options.env = &disk;
  options.write_buffer_bytes = 64 << 10;
  options.reserve_bytes = 1 << 20;
  Storage* held = nullptr;
  options.wait = [&](base::Duration) { held->GiveUp(); };
  base::Result<std::unique_ptr<Storage>> storage = OpenLevelDb(directory.path(), options);
  ASSERT_TRUE(storage.ok()) << storage.status().ToString();
  held = storage->get();
  struct stat reserve = {};
  ASSERT_EQ(stat((directory.path() + "/RESERVE").c_str(), &reserve), 0);
  EXPECT_GE(reserve.st_blocks * 512, 1 << 20);
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(1000 + i);
    ASSERT_TRUE((*storage)->Write({{{number, std::string(1000, 'v')}}, {}}, {}).ok()) << i;
  }
  EXPECT_NE(stat((directory.path() + "/RESERVE").c_str(), &reserve), 0);
  EXPECT_EQ((*storage)->held(), "");
  storage->reset();
  for (int i = 0; i < 2; ++i) {  // which makes it anew, and has to give it up to open at all
    storage = OpenLevelDb(directory.path(), options);
    ASSERT_TRUE(storage.ok()) << storage.status().ToString();
    EXPECT_EQ((*storage)->Get("1299")->size(), 1000u);
    storage->reset();
    ASSERT_EQ(stat((directory.path() + "/RESERVE").c_str(), &reserve), 0);
  }
}

TEST(LevelDbStorageTest, ATableThatEndsEarlyOrIsGoneIsSaid) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(base::WriteFileAtomic(directory.path() + "/table", "0123456789", 0600).ok());
  ReadingEnv env;
  leveldb::RandomAccessFile* made = nullptr;
  EXPECT_TRUE(env.NewRandomAccessFile(directory.path() + "/none", &made).IsNotFound());
  EXPECT_EQ(made, nullptr);
  ASSERT_TRUE(env.NewRandomAccessFile(directory.path() + "/table", &made).ok());
  const std::unique_ptr<leveldb::RandomAccessFile> file(made);
  char scratch[8];
  leveldb::Slice read;
  ASSERT_TRUE(file->Read(2, sizeof(scratch), &read, scratch).ok());
  EXPECT_EQ(read.ToString(), "23456789");
  ASSERT_TRUE(file->Read(7, sizeof(scratch), &read, scratch).ok());
  EXPECT_EQ(read.ToString(), "789");
}

// An Env whose files cannot be made, for a given reason.
class RefusingEnv final : public leveldb::EnvWrapper {
 public:
  explicit RefusingEnv(std::string reason)
      : leveldb::EnvWrapper(leveldb::Env::Default()), reason_(std::move(reason)) {}
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override {
    *lock = nullptr;
    return leveldb::Status::IOError(name, reason_);
  }
  leveldb::Status CreateDir(const std::string&) override { return {}; }
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** result) override {
    *result = nullptr;
    return leveldb::Status::NotSupported(name);
  }

 private:
  const std::string reason_;
};

TEST(LevelDbStorageTest, EachSystemErrorSaysWhatToDo) {
  RefusingEnv denied("Permission denied"), full("No space left on device"),
      broken(
          "Input/output "
          "error");
  EXPECT_EQ(OpenText("/none", &denied),
            "Forbidden: no permission to write in DIR (IO error: DIR/LOCK: Permission denied); run "
            "as its owner or choose another --data-dir");
  EXPECT_EQ(OpenText("/none", &full),
            "InternalError: the disk that holds DIR is full; free some space, then start again");
  EXPECT_EQ(OpenText("/none", &broken),
            "InternalError: storage in DIR failed: IO error: DIR/LOCK: Input/output error");
}

}  // namespace
}  // namespace state
