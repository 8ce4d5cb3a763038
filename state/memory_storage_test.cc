#include "state/testing/memory_storage.h"

#include <gtest/gtest.h>

#include "state/testing/storage_contract.h"

namespace state {
namespace {

class MemoryDriver final : public StorageDriver {
 public:
  Storage& storage() override { return storage_; }
  void Reopen() override { storage_.Reopen(); }
  bool FailNextWrite() override {
    faults_.SetOnce("storage.write.fail");
    return true;
  }

 private:
  base::Faults faults_{1};
  MemoryStorage storage_{&faults_};
};

std::unique_ptr<StorageDriver> MakeMemoryDriver() { return std::make_unique<MemoryDriver>(); }

INSTANTIATE_TEST_SUITE_P(Storages, StorageContract,
                         testing::Values(StorageUnderTest{"Memory", &MakeMemoryDriver}),
                         StorageName);

TEST(MemoryStorageTest, FailedWriteLeavesNothing) {
  base::Faults faults(1);
  MemoryStorage storage(&faults);
  faults.SetOnce("storage.write.fail");
  EXPECT_FALSE(storage.Write({{{"a", "1"}}, {}}).ok());
  storage.Reopen();
  EXPECT_EQ(storage.Get("a").status().code(), base::Code::kNotFound);
  EXPECT_EQ(storage.writes(), 0u);
}

TEST(MemoryStorageTest, LostReplyLeavesTheBatchWritten) {
  base::Faults faults(1);
  MemoryStorage storage(&faults);
  faults.SetOnce("storage.write.lost");
  EXPECT_FALSE(storage.Write({{{"a", "1"}}, {}}).ok());
  EXPECT_FALSE(storage.Get("a").ok());
  storage.Reopen();
  EXPECT_EQ(*storage.Get("a"), "1");
}

}  // namespace
}  // namespace state
