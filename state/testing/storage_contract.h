// What every Storage promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(Storages, StorageContract,
//                            testing::Values(StorageUnderTest{"Memory", &MakeMemory}),
//                            StorageName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "state/storage.h"

namespace state {

// Owns a storage and what lies under it.
class StorageDriver {
 public:
  virtual ~StorageDriver() = default;
  virtual Storage& storage() = 0;
  // Closes the storage and opens it again over what it left.
  virtual void Reopen() = 0;
  // Makes the next write fail; false if this driver cannot.
  virtual bool FailNextWrite() = 0;
};

struct StorageUnderTest {
  std::string name;
  std::unique_ptr<StorageDriver> (*make)();
};

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string StorageName(const testing::TestParamInfo<StorageUnderTest>& info);

class StorageContract : public testing::TestWithParam<StorageUnderTest> {
 protected:
  void SetUp() override;
  Storage& storage() { return driver_->storage(); }
  void Write(const StorageBatch& batch);
  std::string Get(std::string_view key);  // the value in brackets, or the code's name
  // "key=value key=value ", or the status.
  std::string Scan(std::string_view first = {}, std::string_view last = {});

  std::unique_ptr<StorageDriver> driver_;
};

}  // namespace state
