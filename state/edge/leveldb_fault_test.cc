// LevelDB over a disk that fails and loses power at seeded points, in many short histories. After
// every reopening, all batches that were acknowledged are there, and the one whose write failed is
// there whole or not at all.
//
// LevelDB compacts on a thread of its own, so the same seed may fail at another operation of
// another run: the seeds spread the points, they do not replay them.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/rng.h"
#include "state/edge/leveldb_storage.h"
#include "state/edge/testing/simulated_disk.h"

namespace state {
namespace {

using Model = std::map<std::string, std::string>;

constexpr int kBatchesInARound = 40;
constexpr int kOperationsInARound = 160;  // about what a round needs

void Apply(const StorageBatch& batch, Model& model) {
  for (const auto& [key, value] : batch.puts) model[key] = value;
  for (const std::string& key : batch.deletes) model.erase(key);
}

StorageBatch RandomBatch(base::Rng& rng) {
  StorageBatch batch;
  for (uint64_t n = 1 + rng.Below(4); n > 0; --n) {
    std::string value;
    for (uint64_t words = rng.Below(500); words > 0; --words) value += std::to_string(rng.Next());
    batch.puts.emplace_back("key-" + std::to_string(rng.Below(40)), std::move(value));
  }
  for (uint64_t n = rng.Below(3); n > 0; --n) {
    batch.deletes.push_back("key-" + std::to_string(rng.Below(40)));
  }
  return batch;
}

class History {
 public:
  explicit History(uint64_t seed) : rng_(seed), disk_(rng_.Next()) {}

  SimulatedDisk& disk() { return disk_; }
  int failures() const { return failures_; }

  // What broke a promise; empty if nothing did.
  std::string Run() {
    const uint64_t rounds = 2 + rng_.Below(3);
    for (uint64_t i = 0; i < rounds; ++i) {
      const bool once = rng_.Chance(1, 2);
      disk_.FailAfter(rng_.Below(kOperationsInARound),
                      once ? SimulatedDisk::Failure::kOnce : SimulatedDisk::Failure::kFromThenOn);
      if (std::string broken = Round(); !broken.empty()) return broken;
      if (disk_.failed()) ++failures_;
      rng_.Chance(2, 3) ? disk_.LosePower() : disk_.EndProcess();
    }
    disk_.FailAfter(UINT64_MAX, SimulatedDisk::Failure::kOnce);
    return Round();
  }

 private:
  std::string Round() {
    LevelDbOptions options;
    options.env = &disk_;
    options.write_buffer_bytes = 64 << 10;  // the least LevelDB takes: many tables, compactions
    options.max_file_bytes = 1 << 20;
    base::Result<std::unique_ptr<Storage>> storage = OpenLevelDb("/data", options);
    if (!storage.ok()) {
      return disk_.failed() ? "" : "cannot reopen: " + storage.status().ToString();
    }
    if (std::string broken = Compare(**storage); !broken.empty()) return broken;
    for (int i = 0; i < kBatchesInARound; ++i) {
      const StorageBatch batch = RandomBatch(rng_);
      if (!(*storage)->Write(batch, {}).ok()) {
        doubtful_ = batch;
        return disk_.failed() ? "" : "a write failed without a cause";
      }
      Apply(batch, acknowledged_);
    }
    return "";
  }

  std::string Compare(Storage& storage) {
    Model found;
    const base::Status status =
        storage.Scan("", "", [&](std::string_view key, std::string_view value) {
          found.emplace(key, value);
          return true;
        });
    if (!status.ok()) return "cannot scan: " + status.ToString();
    Model with_doubtful = acknowledged_;
    if (doubtful_) Apply(*doubtful_, with_doubtful);
    if (found != acknowledged_ && found != with_doubtful) {
      return "acknowledged batches are missing, or a failed one is half there";
    }
    acknowledged_ = std::move(found);  // what one reopening showed, the next must show
    doubtful_.reset();
    return "";
  }

  base::Rng rng_;
  SimulatedDisk disk_;
  Model acknowledged_;
  std::optional<StorageBatch> doubtful_;
  int failures_ = 0;
};

TEST(LevelDbFaultTest, AcknowledgedBatchesSurviveAndFailedOnesAreWholeOrAbsent) {
  int failures = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    History history(seed);
    ASSERT_EQ(history.Run(), "") << "seed " << seed;
    failures += history.failures();
  }
  EXPECT_GT(failures, 300) << "the faults hardly ever struck: widen kOperationsInARound";
}

Model ReadAll(SimulatedDisk& disk) {
  LevelDbOptions options;
  options.env = &disk;
  Model found;
  auto storage = OpenLevelDb("/data", options);
  EXPECT_TRUE(storage.ok()) << storage.status().ToString();
  const base::Status status =
      (*storage)->Scan("", "", [&](std::string_view key, std::string_view value) {
        found.emplace(key, value);
        return true;
      });
  EXPECT_TRUE(status.ok()) << status.ToString();
  return found;
}

// A batch whose sync failed may be there or not; but whoever has read it may go by it.
TEST(LevelDbFaultTest, WhatOpeningShowsIsDurable) {
  int shown = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulatedDisk disk(seed);
    LevelDbOptions options;
    options.env = &disk;
    {
      auto storage = OpenLevelDb("/data", options);
      ASSERT_TRUE(storage.ok());
      disk.FailAfter(seed % 3,
                     SimulatedDisk::Failure::kOnce);  // the record's two parts, or its sync
      StorageBatch batch;
      batch.puts.emplace_back("key", "value");
      EXPECT_FALSE((*storage)->Write(batch, {}).ok());
    }
    disk.EndProcess();
    const Model found = ReadAll(disk);
    disk.LosePower();
    EXPECT_EQ(ReadAll(disk), found) << "seed " << seed;
    shown += found.empty() ? 0 : 1;
  }
  EXPECT_GT(shown, 50);
}

TEST(LevelDbFaultTest, DeviceThatLiesAboutSyncsIsNoticed) {
  int noticed = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    History history(seed);
    history.disk().LieAboutSyncs();
    if (!history.Run().empty()) ++noticed;
  }
  EXPECT_GT(noticed, 10);
}

// 120 batches over a disk that lacks something from its operation `from` on, until a write has
// waited three times. What broke a promise; empty if nothing did.
std::string WriteWhileLacking(uint64_t from, const std::string& reason, int* held) {
  SimulatedDisk disk(from);
  base::Rng rng(from);
  disk.FailWith(reason);
  int waits = 0;
  LevelDbOptions options;
  options.env = &disk;
  options.write_buffer_bytes = 64 << 10;
  options.max_file_bytes = 1 << 20;
  options.wait = [&](base::Duration) {
    if (++waits == 3) disk.FailAfter(UINT64_MAX, SimulatedDisk::Failure::kOnce);
  };
  Model model;
  {
    auto storage = OpenLevelDb("/data", options);
    if (!storage.ok()) return storage.status().ToString();
    disk.FailAfter(from, SimulatedDisk::Failure::kFromThenOn);
    for (int i = 0; i < 120; ++i) {
      const StorageBatch batch = RandomBatch(rng);
      const base::Status status = (*storage)->Write(batch, {});
      if (!status.ok()) return disk.sync_failed() ? "" : status.ToString();
      Apply(batch, model);
    }
    if (!(*storage)->held().empty()) return "still held: " + (*storage)->held();
    *held += waits > 0;
  }
  disk.LosePower();
  return ReadAll(disk) == model ? "" : "what was acknowledged is not what is there";
}

TEST(LevelDbFaultTest, WhatIsLackingForAWhileIsWaitedOut) {
  for (const char* reason : {"No space left on device", "Too many open files",
                             "Too many open files in system", "Disk quota exceeded"}) {
    int held = 0;
    for (uint64_t from = 0; from < 60; ++from) {
      ASSERT_EQ(WriteWhileLacking(from, reason, &held), "") << reason << " from operation " << from;
    }
    EXPECT_GT(held, 20) << reason;
  }
}

// The batch cannot be in doubt: what failed in another way, or when it was synced, is not tried
// again.
TEST(LevelDbFaultTest, OtherFailuresAndFailedSyncsAreFinal) {
  for (const auto& [reason, operations] :
       {std::pair<const char*, uint64_t>{"Input/output error", 0},
        {"No space left on device", 2}}) {
    SimulatedDisk disk(1);
    disk.FailWith(reason);
    LevelDbOptions options;
    options.env = &disk;
    options.wait = [](base::Duration) { ADD_FAILURE() << "waited"; };
    auto storage = OpenLevelDb("/data", options);
    ASSERT_TRUE(storage.ok());
    disk.FailAfter(operations, SimulatedDisk::Failure::kOnce);  // the record's two parts, its sync
    EXPECT_FALSE((*storage)->Write({{{"key", "value"}}, {}}, {}).ok()) << reason;
    EXPECT_FALSE((*storage)->Write({{{"key", "value"}}, {}}, {}).ok()) << reason;
  }
}

TEST(LevelDbFaultTest, AHeldWriteSaysWhyAndCanBeGivenUp) {
  SimulatedDisk disk(1);
  disk.FailWith("No space left on device");
  LevelDbOptions options;
  options.env = &disk;
  Storage* held = nullptr;
  std::string why;
  options.wait = [&](base::Duration) {
    why = held->held();
    held->GiveUp();
  };
  auto storage = OpenLevelDb("/data", options);
  ASSERT_TRUE(storage.ok());
  held = storage->get();
  disk.FailAfter(0, SimulatedDisk::Failure::kFromThenOn);
  EXPECT_EQ((*storage)->Write({{{"key", "value"}}, {}}, {}).ToString(),
            "InternalError: the disk that holds /data is full; free some space, then start again");
  EXPECT_EQ(why, "the disk that holds /data is full");
}

// The names and contents of the disk's files.
std::string Files(SimulatedDisk& disk) {
  std::vector<std::string> names;
  EXPECT_TRUE(disk.GetChildren("/d", &names).ok());
  std::string text;
  for (const std::string& name : names) {
    std::string content;
    EXPECT_TRUE(leveldb::ReadFileToString(&disk, "/d/" + name, &content).ok());
    text += name + "=" + content + " ";
  }
  return text;
}

std::unique_ptr<leveldb::WritableFile> Create(SimulatedDisk& disk, const std::string& name) {
  leveldb::WritableFile* file = nullptr;
  EXPECT_TRUE(disk.NewWritableFile("/d/" + name, &file).ok());
  return std::unique_ptr<leveldb::WritableFile>(file);
}

TEST(SimulatedDiskTest, PowerLossKeepsWhatWasSyncedAndSomeBeginningOfTheRest) {
  bool tail_kept = false, tail_lost = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = Create(disk, "a");
    ASSERT_TRUE(file->Append("durable").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Append("-tail").ok());
    disk.LosePower();
    const std::string text = Files(disk);
    EXPECT_EQ(text.substr(0, 9), "a=durable");
    tail_kept |= text == "a=durable-tail ";
    tail_lost |= text == "a=durable ";
  }
  EXPECT_TRUE(tail_kept && tail_lost);
}

TEST(SimulatedDiskTest, PowerLossKeepsNameChangesInTheirOrder) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimulatedDisk disk(seed);
    const auto file = Create(disk, "a");
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk.RenameFile("/d/a", "/d/b").ok());
    Create(disk, "c");
    disk.LosePower();
    const std::string text = Files(disk);
    EXPECT_TRUE(text == "a= " || text == "b= " || text == "b= c= ") << text;
  }
}

TEST(SimulatedDiskTest, FailureStrikesOnceOrForGood) {
  SimulatedDisk disk(1);
  const auto file = Create(disk, "a");
  disk.FailAfter(1, SimulatedDisk::Failure::kOnce);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok());
  disk.FailAfter(0, SimulatedDisk::Failure::kFromThenOn);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(disk.RenameFile("/d/a", "/d/b").ok());
  disk.EndProcess();
  EXPECT_TRUE(file->Sync().ok());
}

}  // namespace
}  // namespace state
