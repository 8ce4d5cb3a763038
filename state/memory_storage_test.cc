#include "state/testing/memory_storage.h"

#include <gtest/gtest.h>

#include "state/testing/storage_contract.h"

namespace state {
namespace {

class MemoryDriver final : public StorageDriver {
 public:
  explicit MemoryDriver(const StorageLimits& limits) : storage_(&faults_, limits) {}
  Storage& storage() override { return storage_; }
  void Reopen() override { storage_.Reopen(); }
  bool FailNextWrite() override {
    faults_.SetOnce("storage.write.fail");
    return true;
  }

 private:
  base::Faults faults_{1};
  MemoryStorage storage_;
};

std::unique_ptr<StorageDriver> MakeMemoryDriver() {
  return std::make_unique<MemoryDriver>(StorageLimits{});
}
std::unique_ptr<StorageDriver> MakeSmallMemoryDriver() {
  return std::make_unique<MemoryDriver>(
      StorageLimits{.key_bytes = 256, .value_bytes = 600, .batch_bytes = 1000, .batch_keys = 9});
}

INSTANTIATE_TEST_SUITE_P(Storages, StorageContract,
                         testing::Values(StorageUnderTest{"Memory", &MakeMemoryDriver},
                                         StorageUnderTest{"SmallMemory", &MakeSmallMemoryDriver}),
                         StorageName);

TEST(MemoryStorageTest, FailedWriteLeavesNothing) {
  base::Faults faults(1);
  MemoryStorage storage(&faults);
  faults.SetOnce("storage.write.fail");
  EXPECT_FALSE(storage.Write({{{"a", "1"}}, {}}, {}).ok());
  storage.Reopen();
  EXPECT_EQ(storage.Get("a").status().code(), base::Code::kNotFound);
  EXPECT_EQ(storage.writes(), 0u);
}

TEST(MemoryStorageTest, LostReplyLeavesTheBatchWritten) {
  base::Faults faults(1);
  MemoryStorage storage(&faults);
  faults.SetOnce("storage.write.lost");
  EXPECT_FALSE(storage.Write({{{"a", "1"}}, {}}, {}).ok());
  EXPECT_FALSE(storage.Get("a").ok());
  storage.Reopen();
  EXPECT_EQ(*storage.Get("a"), "1");
}

}  // namespace
}  // namespace state
