#include "state/testing/storage_contract.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/rng.h"

namespace state {

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StorageContract);

std::string StorageName(const testing::TestParamInfo<StorageUnderTest>& info) {
  return info.param.name;
}

void StorageContract::SetUp() { driver_ = GetParam().make(); }

void StorageContract::Write(const StorageBatch& batch) {
  ASSERT_EQ(storage().Write(batch, {}).ToString(), "OK");
}

std::string StorageContract::Get(std::string_view key) {
  const base::Result<std::string> value = storage().Get(key);
  return value.ok() ? "[" + *value + "]" : std::string(base::ReasonOf(value.status().code()));
}

std::string StorageContract::Scan(std::string_view first, std::string_view last) {
  std::string text;
  const base::Status status =
      storage().Scan(first, last, [&](std::string_view key, std::string_view value) {
        text.append(key).append("=").append(value).append(" ");
        return true;
      });
  return status.ok() ? text : status.ToString();
}

TEST_P(StorageContract, GetFindsWhatWasPutAndNothingElse) {
  Write({{{"a", "1"}, {"empty", ""}}, {}});
  EXPECT_EQ(Get("a") + Get("empty") + Get("b") + Get(""), "[1][]NotFoundNotFound");
}

TEST_P(StorageContract, BatchPutsReplacesAndDeletes) {
  Write({{{"a", "1"}, {"b", "1"}, {"c", "1"}}, {}});
  Write({{{"b", "2"}, {"d", "2"}}, {"a", "never-there"}});
  EXPECT_EQ(Scan(), "b=2 c=1 d=2 ");
}

TEST_P(StorageContract, EmptyBatchChangesNothing) {
  Write({{{"a", "1"}}, {}});
  Write({});
  EXPECT_EQ(Scan(), "a=1 ");
}

TEST_P(StorageContract, LastPutOfAKeyWinsAndADeleteOverAll) {
  Write({{{"a", "1"}, {"b", "1"}, {"a", "2"}}, {"b"}});
  EXPECT_EQ(Scan(), "a=2 ");
}

TEST_P(StorageContract, ScanIsOrderedByUnsignedBytes) {
  const std::string zero("\0", 1), zero_a("\0a", 2);
  Write({{{"\xff", "6"}, {"b", "4"}, {"\x80", "5"}, {"a", "3"}, {zero_a, "2"}, {zero, "1"}}, {}});
  std::string values;
  ASSERT_TRUE(storage()
                  .Scan("", "",
                        [&](std::string_view, std::string_view value) {
                          values += value;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(values, "123456");
}

TEST_P(StorageContract, ScanTakesTheFirstKeyAndLeavesTheLast) {
  Write({{{"a", "1"}, {"b", "2"}, {"bb", "3"}, {"c", "4"}}, {}});
  EXPECT_EQ(Scan("b", "c"), "b=2 bb=3 ");
  EXPECT_EQ(Scan("b"), "b=2 bb=3 c=4 ");
  EXPECT_EQ(Scan("", "b"), "a=1 ");
  EXPECT_EQ(Scan("c", "b"), "");
  EXPECT_EQ(Scan("d"), "");
}

TEST_P(StorageContract, ScanStopsWhenTheVisitorHasEnough) {
  Write({{{"a", "1"}, {"b", "2"}, {"c", "3"}}, {}});
  std::string seen;
  ASSERT_TRUE(storage()
                  .Scan("", "",
                        [&](std::string_view key, std::string_view) {
                          seen += key;
                          return key != "b";
                        })
                  .ok());
  EXPECT_EQ(seen, "ab");
}

TEST_P(StorageContract, AllBytesComeBackInKeysAndValues) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  Write({{{bytes, bytes + bytes}}, {}});
  EXPECT_EQ(Get(bytes), "[" + bytes + bytes + "]");
}

TEST_P(StorageContract, WhatWasWrittenIsThereAfterReopening) {
  Write({{{"a", "1"}, {"b", "1"}}, {}});
  Write({{{"c", "1"}}, {"a"}});
  driver_->Reopen();
  EXPECT_EQ(Scan(), "b=1 c=1 ");
  Write({{{"d", "1"}}, {}});
  driver_->Reopen();
  EXPECT_EQ(Scan(), "b=1 c=1 d=1 ");
}

TEST_P(StorageContract, LargestKeyAndValueFit) {
  const StorageLimits limits = storage().limits();
  const std::string key(limits.key_bytes, 'k');
  const std::string value(limits.value_bytes, 'v');
  Write({{{key, value}}, {}});
  driver_->Reopen();
  EXPECT_TRUE(Get(key) == "[" + value + "]");
}

TEST_P(StorageContract, LargerOnesAreRefusedAndNothingChanges) {
  const StorageLimits limits = storage().limits();
  Write({{{"a", "1"}}, {}});
  const StorageBatch large_key = {{{"a", "2"}, {std::string(limits.key_bytes + 1, 'k'), ""}}, {}};
  const StorageBatch large_value = {{{"a", "2"}, {"b", std::string(limits.value_bytes + 1, 'v')}},
                                    {}};
  EXPECT_EQ(storage().Write(large_key, {}).code(), base::Code::kTooLarge);
  EXPECT_EQ(storage().Write(large_value, {}).code(), base::Code::kTooLarge);
  EXPECT_EQ(Scan(), "a=1 ");
  Write({{{"b", "2"}}, {}});
  EXPECT_EQ(Scan(), "a=1 b=2 ");
}

TEST_P(StorageContract, LargestBatchFitsAndALargerOneIsRefused) {
  const StorageLimits limits = storage().limits();
  StorageBatch batch;
  size_t bytes = 0;
  while (bytes < limits.batch_bytes) {
    const std::string key = "k" + std::to_string(batch.puts.size());
    const size_t left = limits.batch_bytes - bytes;
    const size_t size = std::min(limits.value_bytes, left - std::min(left, key.size()));
    batch.puts.emplace_back(key, std::string(size, 'v'));
    bytes = batch.ByteSize();
  }
  if (bytes > limits.batch_bytes) batch.puts.pop_back();
  ASSERT_LE(limits.batch_bytes - batch.ByteSize(), 8u);
  StorageBatch larger = batch;
  larger.deletes.emplace_back(limits.batch_bytes - batch.ByteSize() + 1, 'd');
  EXPECT_EQ(storage().Write(larger, {}).code(), base::Code::kTooLarge);
  EXPECT_EQ(Scan(), "");
  Write(batch);
  EXPECT_EQ(Get("k0"), "[" + batch.puts[0].second + "]");
}

TEST_P(StorageContract, MostKeysFitAndOneMoreIsRefused) {
  const size_t most = storage().limits().batch_keys;
  StorageBatch batch;
  for (size_t i = 1; i < most; ++i) batch.puts.emplace_back(std::to_string(i), "");
  batch.deletes.push_back("1");
  StorageBatch more = batch;
  more.deletes.push_back("2");
  EXPECT_EQ(storage().Write(more, {}).code(), base::Code::kTooLarge);
  EXPECT_EQ(Scan(), "");
  Write(batch);
  EXPECT_EQ(Get("1") + Get("2"), "NotFound[]");
}

TEST_P(StorageContract, AFenceThatHoldsLetsTheBatchPass) {
  EXPECT_EQ(storage().Write({{{"writer", "1"}}, {}}, {"writer", std::nullopt}).ToString(), "OK");
  EXPECT_EQ(storage().Write({{{"a", "1"}}, {}}, {"writer", "1"}).ToString(), "OK");
  EXPECT_EQ(storage().Write({{{"writer", "2"}}, {}}, {"writer", "1"}).ToString(), "OK");
  driver_->Reopen();
  EXPECT_EQ(storage().Write({{{"a", "2"}}, {}}, {"writer", "2"}).ToString(), "OK");
  EXPECT_EQ(Scan(), "a=2 writer=2 ");
}

TEST_P(StorageContract, AFenceThatDoesNotHoldRefusesTheBatchAndHarmsNothing) {
  Write({{{"writer", "2"}}, {}});
  const StorageBatch batch = {{{"a", "1"}}, {"writer"}};
  EXPECT_EQ(storage().Write(batch, {"writer", "1"}).ToString(),
            "Conflict: somebody else writes here now (writer is 2, not 1)");
  EXPECT_EQ(storage().Write(batch, {"writer", std::nullopt}).code(), base::Code::kConflict);
  EXPECT_EQ(storage().Write(batch, {"other", "2"}).code(), base::Code::kConflict);
  EXPECT_EQ(Scan(), "writer=2 ");
  EXPECT_EQ(storage().Write(batch, {"writer", "2"}).ToString(), "OK");
  EXPECT_EQ(Scan(), "a=1 ");
}

TEST_P(StorageContract, AfterAFailedWriteEveryCallFailsUntilItIsReopened) {
  Write({{{"a", "1"}}, {}});
  if (!driver_->FailNextWrite()) GTEST_SKIP() << "no fault can be injected here";
  EXPECT_EQ(storage().Write({{{"b", "2"}}, {}}, {}).code(), base::Code::kInternal);
  EXPECT_EQ(storage().Write({{{"c", "3"}}, {}}, {}).code(), base::Code::kInternal);
  EXPECT_EQ(storage().Get("a").status().code(), base::Code::kInternal);
  EXPECT_EQ(storage().Scan("", "", [](auto, auto) { return true; }).code(), base::Code::kInternal);
  driver_->Reopen();
  EXPECT_EQ(Get("a") + Get("c"), "[1]NotFound");
  Write({{{"d", "4"}}, {}});
  EXPECT_EQ(Get("d"), "[4]");
}

TEST_P(StorageContract, RandomBatchesEqualAnOrderedMap) {
  base::Rng rng(20);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 300; ++i) {
    StorageBatch batch;
    for (uint64_t n = rng.Below(5); n > 0; --n) {
      batch.puts.emplace_back("key-" + std::to_string(rng.Below(60)), std::to_string(rng.Next()));
    }
    for (uint64_t n = rng.Below(3); n > 0; --n) {
      batch.deletes.push_back("key-" + std::to_string(rng.Below(60)));
    }
    Write(batch);
    for (const auto& [key, value] : batch.puts) model[key] = value;
    for (const std::string& key : batch.deletes) model.erase(key);
    if (i % 100 == 50) driver_->Reopen();
  }
  std::string expected;
  for (const auto& [key, value] : model) expected += key + "=" + value + " ";
  EXPECT_EQ(Scan(), expected);
}

}  // namespace state
