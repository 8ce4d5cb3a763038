#include "state/store.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/faults.h"
#include "base/rng.h"
#include "base/testing/sim_loop.h"
#include "state/record.h"
#include "state/testing/memory_storage.h"

namespace state {
namespace {

base::Document Doc(std::string_view name, int value) {
  return base::Document(base::Json::MakeObject(
      {{"metadata", base::Json::MakeObject({{"name", name}, {"resourceVersion", ""}})},
       {"value", value}}));
}

Key KeyOf(std::string_view name) { return Key{"things", "default", std::string(name)}; }

Write Put(std::string_view name, int value, Revision expected = 0) {
  return Write{KeyOf(name), Doc(name, value), expected};
}
Write Remove(std::string_view name, Revision expected) {
  return Write{KeyOf(name), std::nullopt, expected};
}

std::string Describe(const Change& change) {
  const std::string verb = change.removed ? "-" : change.created() ? "+" : "~";
  return std::to_string(change.revision) + verb + change.key().name + "=" +
         std::to_string((*change.object)["value"].AsInt());
}

std::string Describe(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) text += (text.empty() ? "" : " ") + Describe(change);
  return text;
}

std::string Describe(const View& view) {
  std::string text = "@" + std::to_string(view.revision());
  view.ForEach([&](const ObjectPtr& object) {
    text += " " + object->key.name + "=" + std::to_string((*object)["value"].AsInt()) + "#" +
            std::to_string(object->revision);
  });
  return text;
}

// What a store's objects and log need on disk, and what is there: revisions.
std::string Needed(const Store& store) {
  std::set<Revision> revisions;
  store.view().ForEach([&](const ObjectPtr& object) { revisions.insert(object->revision); });
  const std::vector<Change> changes = *store.Read(store.floor(), SIZE_MAX);
  for (const Change& change : changes) {
    revisions.insert(change.revision);
    if (change.previous) revisions.insert(change.previous->revision);
  }
  std::string text;
  for (const Revision revision : revisions) text += std::to_string(revision) + " ";
  return text;
}

std::string Recorded(Storage& storage) {
  std::string text;
  const base::Status status = storage.Scan(kLogFirst, kLogLast, [&](std::string_view key, auto) {
    text += std::to_string(*ParseRecordKey(key)) + " ";
    return true;
  });
  return status.ok() ? text : status.ToString();
}

Revision LastRecorded(Storage& storage) {
  Revision last = 0;
  const base::Status status = storage.Scan(kLogFirst, kLogLast, [&](std::string_view key, auto) {
    last = *ParseRecordKey(key);
    return true;
  });
  return status.ok() ? last : 0;
}

class StoreTest : public testing::Test {
 protected:
  explicit StoreTest(const StorageLimits& limits = {}) : storage_(&faults_, limits) { Reopen(); }

  void Reopen(StoreOptions options = {}) {
    store_.reset();
    loop_.DropAll();
    storage_.Reopen();
    auto opened =
        Store::Open(loop_, storage_, options, [this](base::Status status) { failure_ = status; });
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = *std::move(opened);
  }

  std::string Commit(std::vector<Write> writes) {
    const auto committed = store_->Commit(Transaction{std::move(writes)});
    if (!committed.ok()) return std::string(base::ReasonOf(committed.status().code()));
    return std::to_string(committed->first) + "-" + std::to_string(committed->last);
  }

  void Settle() { loop_.RunFor(base::Duration::Seconds(1)); }

  base::Faults faults_{1};
  base::SimLoop loop_{1};
  MemoryStorage storage_;
  base::Status failure_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, AnInventoryMayBeLargerThanOtherObjects) {
  const auto sized = [](const char* resource, size_t bytes) {
    return Write{{resource, "default", "a"},
                 base::Document(base::Json::MakeObject(
                     {{"metadata", base::Json::MakeObject({{"resourceVersion", ""}})},
                      {"text", std::string(bytes, 'x')}})),
                 0};
  };
  EXPECT_EQ(Commit({sized("configmaps", kMaxObjectBytes)}), "RequestEntityTooLarge");
  EXPECT_EQ(Commit({sized("inventories.plumb.dev", 16u << 20)}), "RequestEntityTooLarge");
  EXPECT_EQ(Commit({sized("inventories.plumb.dev", kMaxObjectBytes)}), "1-1");
}

TEST_F(StoreTest, ATransactionTakesConsecutiveRevisions) {
  EXPECT_EQ(Commit({Put("a", 1), Put("b", 2)}), "1-2");
  EXPECT_EQ(Commit({Put("c", 3)}), "3-3");
  EXPECT_EQ(Describe(store_->view()), "@3 a=1#1 b=2#2 c=3#3");
  EXPECT_EQ(store_->view().Get(KeyOf("b"))->Meta("resourceVersion").AsString(), "2");
}

TEST_F(StoreTest, AFailedPreconditionChangesNothing) {
  Commit({Put("a", 1)});
  EXPECT_EQ(Commit({Put("b", 1), Put("a", 2, 7)}), "Conflict");
  EXPECT_EQ(Commit({Put("a", 2)}), "Conflict") << "it exists";
  EXPECT_EQ(Commit({Remove("b", 3)}), "Conflict") << "it does not exist";
  EXPECT_EQ(Describe(store_->view()), "@1 a=1#1");
}

TEST_F(StoreTest, WhatIsVisibleIsToldOnlyOnceItIsDurable) {
  Commit({Put("a", 1)});
  bool told = false;
  store_->WhenDurable(1, [&] { told = true; });
  EXPECT_EQ(Describe(store_->view()), "@1 a=1#1");
  EXPECT_EQ(Describe(*store_->Read(0, 10)), "");
  EXPECT_FALSE(told);
  Settle();
  EXPECT_TRUE(told);
  EXPECT_EQ(Describe(*store_->Read(0, 10)), "1+a=1");
}

// A Storage that takes one record at once (and the floor beside it).
class SmallStoreTest : public StoreTest {
 protected:
  SmallStoreTest() : StoreTest(StorageLimits{.batch_keys = 2}) {}
};

TEST_F(SmallStoreTest, TheDurableViewIsThatOfTheLastWholeTransaction) {
  EXPECT_EQ(Describe(store_->durable_view()), "@0");
  Commit({Put("a", 1)});
  Commit({Put("a", 2, 1), Put("b", 2)});
  Commit({Put("c", 3)});
  EXPECT_EQ(Describe(store_->durable_view()), "@0");
  std::string seen;
  const base::Subscription each =
      store_->OnDurable([&] { seen += Describe(store_->durable_view()) + "; "; });
  Settle();
  EXPECT_EQ(seen, "@1 a=1#1; @3 a=2#2 b=2#3; @4 a=2#2 b=2#3 c=3#4; ");
  EXPECT_EQ(store_->stats().batches, 4u);
  Reopen();
  EXPECT_EQ(Describe(store_->durable_view()), "@4 a=2#2 b=2#3 c=3#4");
}

TEST_F(SmallStoreTest, OnlySoManyBatchesWaitForAStorageThatWaits) {
  storage_.Hold("the disk is full");
  std::string said;
  for (int i = 0; i < 9; ++i) said = Commit({Put("a" + std::to_string(i), 1)});
  EXPECT_EQ(said, "9-9");
  EXPECT_EQ(Commit({Put("b", 1)}), "ServiceUnavailable");
  storage_.Hold("");
  EXPECT_EQ(Commit({Put("b", 1)}), "10-10");
  Settle();
  EXPECT_EQ(store_->durable(), 10u);
}

TEST_F(SmallStoreTest, ATransactionIsToldWithItsLastRecord) {
  std::string told;
  Commit({Put("a", 1), Put("b", 2), Put("c", 3)});
  store_->WhenDurable(1, [&] { told += Recorded(storage_) + Describe(*store_->Read(0, 10)); });
  Settle();
  EXPECT_EQ(told, "1 2 3 1+a=1 2+b=2 3+c=3");
}

TEST_F(SmallStoreTest, OfAnUnfinishedTransactionNothingIsSeenAgain) {
  Commit({Put("a", 1)});
  Settle();
  for (uint64_t written = 0; written < 3; ++written) {
    faults_.SetOnce("storage.write.fail", written);
    Commit({Put("a", 2, 1), Put("b", 2), Put("c", 3)});
    Settle();
    EXPECT_EQ(failure_.code(), base::Code::kInternal);
    storage_.Reopen();
    const char* const records[] = {"1 ", "1 2 ", "1 2 3 "};
    EXPECT_EQ(Recorded(storage_), records[written]);
    Reopen();
    EXPECT_EQ(Describe(store_->view()), "@1 a=1#1");
    EXPECT_EQ(Describe(*store_->Read(0, 10)), "1+a=1");
    EXPECT_EQ(Recorded(storage_), "1 ");
  }
}

// Taking it out takes several batches, too.
TEST_F(SmallStoreTest, AnUnfinishedTransactionIsTakenOutFromItsEnd) {
  Commit({Put("a", 1)});
  Settle();
  faults_.SetOnce("storage.write.fail", 3);
  Commit({Put("b", 1), Put("c", 1), Put("d", 1), Put("e", 1)});
  Settle();
  storage_.Reopen();
  EXPECT_EQ(Recorded(storage_), "1 2 3 4 ");
  for (const char* left : {"1 2 3 ", "1 2 "}) {
    faults_.SetOnce("storage.write.fail", 2);  // after the taking over and one record
    EXPECT_FALSE(Store::Open(loop_, storage_, {}, [](base::Status) {}).ok());
    storage_.Reopen();
    EXPECT_EQ(Recorded(storage_), left);
  }
  Reopen();
  EXPECT_EQ(Describe(store_->view()), "@1 a=1#1");
  EXPECT_EQ(Commit({Put("b", 2)}), "2-2");
}

// What is forgotten goes one record a batch: the floor with the first of them, then the oldest of
// each object first.
TEST_F(SmallStoreTest, WhatWasToBeForgottenWhenACrashCameIsForgottenAtTheStart) {
  const StoreOptions options{.log_window = 2};
  std::string left;
  for (uint64_t written = 0; written <= 5; ++written) {
    MemoryStorage storage(&faults_, StorageLimits{.batch_keys = 2});
    auto store = *Store::Open(loop_, storage, options, [](base::Status) {});
    ASSERT_TRUE(store->Commit({{Put("a", 1), Put("b", 1)}}).ok());
    Settle();
    ASSERT_TRUE(store->Commit({{Put("a", 2, 1), Remove("b", 2)}}).ok());
    Settle();
    faults_.SetOnce("storage.write.fail", written);
    ASSERT_TRUE(store->Commit({{Put("c", 1), Put("d", 1)}}).ok());
    Settle();
    faults_.Clear();
    storage.Reopen();
    left += Recorded(storage) + "; ";
    store = *Store::Open(loop_, storage, options, [](base::Status) {});
    EXPECT_EQ(Recorded(storage), Needed(*store));
    EXPECT_EQ(Describe(store->view()), written < 2 ? "@4 a=2#3" : "@6 a=2#3 c=1#5 d=1#6");
  }
  EXPECT_EQ(left, "1 2 3 4 ; 1 2 3 4 5 ; 1 2 3 4 5 6 ; 2 3 4 5 6 ; 3 4 5 6 ; 3 5 6 ; ");
}

TEST_F(StoreTest, AnObjectThatTheStorageCannotTakeIsRefusedAndNothingChanges) {
  MemoryStorage storage(nullptr, StorageLimits{.value_bytes = 150});
  auto store = *Store::Open(loop_, storage, {}, [](base::Status) {});
  base::Json large = Doc("large", 1).ToJson();
  large["text"] = std::string(100, 'x');
  const auto committed = store->Commit(
      Transaction{{Put("a", 1), Write{KeyOf("large"), base::Document(std::move(large)), 0}}});
  EXPECT_EQ(committed.status().ToString(),
            "RequestEntityTooLarge: things default/large has 197 bytes with the managers of its "
            "fields; the storage takes 150");
  EXPECT_EQ(Describe(store->view()), "@0");
  EXPECT_TRUE(store->Commit(Transaction{{Put("a", 1)}}).ok());
}

TEST_F(StoreTest, AStoreThatWasOpenedLaterWritesAndTheFirstCannotAnyMore) {
  Commit({Put("a", 1)});
  Settle();
  auto second = *Store::Open(loop_, storage_, {}, [](base::Status) {});
  EXPECT_EQ(Commit({Put("a", 2, 1)}), "2-2");
  bool told = false;
  store_->WhenDurable(2, [&] { told = true; });
  Settle();
  EXPECT_FALSE(told);
  EXPECT_EQ(failure_.ToString(),
            "Conflict: the store could not write its log: somebody else writes here now (m/writer "
            "is 2, not 1)");
  EXPECT_TRUE(second->Commit(Transaction{{Put("b", 1)}}).ok());
  Settle();
  EXPECT_EQ(second->durable(), 2u);
  Reopen();
  EXPECT_EQ(Describe(store_->view()), "@2 a=1#1 b=1#2");
}

TEST_F(StoreTest, WhatIsWrittenNowIsDurableWithoutTheLoop) {
  Commit({Put("a", 1)});
  EXPECT_EQ(store_->WriteNow().ToString(), "OK");
  EXPECT_EQ(Describe(store_->durable_view()), "@1 a=1#1");
  Reopen();
  EXPECT_EQ(Describe(store_->view()), "@1 a=1#1");
}

TEST_F(StoreTest, CommitsOfOneTurnShareAWrite) {
  for (int i = 0; i < 100; ++i) Commit({Put("k" + std::to_string(i), i)});
  Settle();
  EXPECT_EQ(store_->durable(), 100u);
  EXPECT_EQ(store_->stats().batches, 1u);
}

TEST_F(StoreTest, CommitsMadeWhileAWriteIsUnderWayShareTheNextOne) {
  Commit({Put("first", 1)});
  loop_.Post([this] {  // after the first write has begun
    for (int i = 0; i < 99; ++i) Commit({Put("k" + std::to_string(i), i)});
  });
  Settle();
  EXPECT_EQ(store_->durable(), 100u);
  EXPECT_EQ(store_->stats().batches, 2u);
}

TEST_F(StoreTest, TheLogSaysWhatWasThereBefore) {
  Commit({Put("a", 1)});
  Commit({Put("a", 2, 1)});
  Commit({Remove("a", 2)});
  Settle();
  const auto changes = *store_->Read(0, 10);
  EXPECT_EQ(Describe(changes), "1+a=1 2~a=2 3-a=2");
  EXPECT_EQ(changes[2].object->Meta("resourceVersion").AsString(), "3");
  EXPECT_EQ((*changes[1].previous)["value"].AsInt(), 1);
}

TEST_F(StoreTest, AReopenedStoreHasTheSameObjectsAndLog) {
  Commit({Put("a", 1), Put("b", 1)});
  Commit({Put("a", 2, 1)});
  Commit({Remove("b", 2)});
  Settle();
  const std::string view = Describe(store_->view());
  const std::string log = Describe(*store_->Read(0, 100));
  Reopen();
  EXPECT_EQ(Describe(store_->view()), view);
  EXPECT_EQ(Describe(*store_->Read(0, 100)), log);
  EXPECT_EQ(Commit({Put("c", 1)}), "5-5");
}

TEST_F(StoreTest, AWatchResumesInsideATransactionsRange) {
  Commit({Put("a", 1), Put("b", 2), Put("c", 3)});
  Settle();
  EXPECT_EQ(Describe(*store_->Read(2, 10)), "3+c=3");
}

TEST_F(StoreTest, BelowTheFloorAWatchIsExpiredAndTheDiskForgets) {
  Reopen(StoreOptions{.log_window = 3});
  for (int i = 0; i < 10; ++i) {
    Commit({Put("a", i, static_cast<Revision>(i))});
    Settle();
  }
  Commit({Remove("a", 10)});
  Settle();
  for (int i = 0; i < 3; ++i) {
    Commit({Put("b", i, i == 0 ? 0 : static_cast<Revision>(11 + i))});
    Settle();
  }
  EXPECT_EQ(store_->Read(0, 1).status().code(), base::Code::kExpired);
  EXPECT_EQ(Describe(*store_->Read(store_->floor(), 10)), "12+b=0 13~b=1 14~b=2");
  Reopen(StoreOptions{.log_window = 3});
  EXPECT_EQ(Describe(store_->view()), "@14 b=2#14");
  EXPECT_EQ(Describe(*store_->Read(11, 10)), "12+b=0 13~b=1 14~b=2");
  size_t records = 0;
  ASSERT_TRUE(storage_.Scan(kLogFirst, kLogLast, [&](auto, auto) { return ++records, true; }).ok());
  EXPECT_EQ(records, 3u);
}

TEST_F(StoreTest, TheWindowHoldsSoManyBytesOfOldVersionsAlsoAfterAStart) {
  const Write write = Put("a", 1);
  const size_t one = Object{.key = write.key, .document = *write.document}.MemoryUsage();
  const StoreOptions options{.log_window_bytes = 3 * (one + 4)};  // a revision has up to 4 digits
  Reopen(options);
  for (int i = 0; i < 9; ++i) Commit({Put("a", i, static_cast<Revision>(i))});
  Settle();
  Commit({Put("b", 1)});  // what was not durable before may go now
  Settle();
  EXPECT_EQ(Describe(*store_->Read(store_->floor(), 10)), "7~a=6 8~a=7 9~a=8 10+b=1");
  Reopen(options);
  EXPECT_EQ(Describe(*store_->Read(store_->floor(), 10)), "7~a=6 8~a=7 9~a=8 10+b=1");
  EXPECT_EQ(Describe(store_->view()), "@10 a=8#9 b=1#10");
  Reopen(StoreOptions{.log_window_bytes = one});  // a smaller window from this start on
  EXPECT_EQ(Describe(*store_->Read(store_->floor(), 10)), "10+b=1");
  EXPECT_EQ(Describe(store_->view()), "@10 a=8#9 b=1#10");
}

TEST_F(StoreTest, AListenerReadsAllThatBecameDurableBeforeItLeavesTheWindow) {
  Reopen({.log_window = 2});
  Revision cursor = store_->durable();
  std::string told;
  const base::Subscription subscription = store_->OnDurable([&] {
    const auto changes = store_->Read(cursor, 100);
    told += changes.ok() ? Describe(*changes) : changes.status().ToString();
    cursor = store_->durable();
  });
  Commit({Put("a", 1), Put("b", 1), Put("c", 1), Put("d", 1)});
  store_->WhenDurable(4, [&] { Commit({Put("e", 1)}); });
  Settle();
  EXPECT_EQ(told, "1+a=1 2+b=1 3+c=1 4+d=15+e=1");
}

TEST_F(StoreTest, AFailedWriteEndsTheStore) {
  faults_.SetOnce("storage.write.fail");
  Commit({Put("a", 1)});
  Settle();
  EXPECT_EQ(failure_.code(), base::Code::kInternal) << failure_.ToString();
  EXPECT_EQ(Commit({Put("b", 1)}), "ServiceUnavailable");
}

TEST_F(StoreTest, ANewerFormatIsRefusedWithASentence) {
  ASSERT_TRUE(storage_.Write(StorageBatch{{{std::string(kFormatKey), "99"}}, {}}, {}).ok());
  const auto opened = Store::Open(loop_, storage_, {}, [](base::Status) {});
  EXPECT_EQ(opened.status().ToString(),
            "ServiceUnavailable: the data has format 99, this plumb reads up to " +
                std::to_string(kFormatVersion) + "; start a newer plumb, or restore a backup");
}

TEST_F(StoreTest, AFlippedBitIsFound) {
  Commit({Put("a", 1)});
  Settle();
  std::string record = *storage_.Get(RecordKey(1));
  for (size_t i = 0; i < record.size(); ++i) {
    std::string damaged = record;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ASSERT_TRUE(storage_.Write(StorageBatch{{{RecordKey(1), damaged}}, {}}, {}).ok());
    EXPECT_EQ(Store::Open(loop_, storage_, {}, [](base::Status) {}).status().code(),
              base::Code::kCorruption);
  }
}

// Random histories with a crash at a random point, also between the batches of one transaction:
// what was acknowledged is there, nothing is there by halves, and nothing is left on the disk that
// no object or change needs.
TEST(StoreCrashTest, AcknowledgedTransactionsSurviveAndNoneIsTorn) {
  int unfinished = 0;  // transactions of which a start found a part
  for (uint64_t seed = 0; seed < 400; ++seed) {
    base::Rng rng(seed);
    base::Faults faults(seed);
    base::SimLoop loop(seed);
    const StorageLimits small{.batch_bytes = 200 + rng.Below(1000), .batch_keys = 2 + rng.Below(6)};
    MemoryStorage storage(&faults, rng.Chance(1, 4) ? StorageLimits{} : small);
    faults.Set("storage.write.fail", 1, 20);
    faults.Set("storage.write.lost", 1, 20);
    Revision acknowledged = 0;
    std::map<Revision, std::string> views;  // after each transaction
    views[0] = "@0";
    for (int life = 0; life < 5; ++life) {
      storage.Reopen();
      faults.Clear();
      const Revision found = LastRecorded(storage);
      auto store = *Store::Open(loop, storage, StoreOptions{.log_window = 1 + rng.Below(20)},
                                [](base::Status) {});
      ASSERT_GE(store->revision(), acknowledged) << "seed " << seed;
      ASSERT_EQ(views.count(store->revision()), 1u) << "seed " << seed << ": a torn transaction";
      ASSERT_EQ(Describe(store->view()), views[store->revision()]) << "seed " << seed;
      ASSERT_EQ(Recorded(storage), Needed(*store)) << "seed " << seed;
      unfinished += found > store->revision();
      faults.Set("storage.write.fail", 1, 20);
      faults.Set("storage.write.lost", 1, 20);
      const uint64_t steps = rng.Below(40);
      for (uint64_t step = 0; step < steps; ++step) {
        Transaction transaction;
        std::set<std::string> names;
        for (uint64_t i = 0; i <= rng.Below(4); ++i) {
          const std::string name(1, static_cast<char>('a' + rng.Below(6)));
          if (!names.insert(name).second) continue;
          const ObjectPtr old = store->view().Get(KeyOf(name));
          if (old && rng.Chance(1, 3)) {
            transaction.writes.push_back(Remove(name, old->revision));
          } else {
            transaction.writes.push_back(
                Put(name, static_cast<int>(rng.Below(100)), old ? old->revision : 0));
          }
        }
        const auto committed = store->Commit(std::move(transaction));
        if (!committed.ok()) break;
        views[store->revision()] = Describe(store->view());
        store->WhenDurable(committed->last,
                           [&acknowledged, last = committed->last] { acknowledged = last; });
        if (rng.Chance(1, 2))
          loop.RunFor(base::Duration::Millis(static_cast<int64_t>(rng.Below(8))));
      }
      loop.DropAll();
      // What was never durable may take the same revisions again with other contents.
    }
  }
  EXPECT_GT(unfinished, 100) << "the faults hardly ever struck between batches";
}

}  // namespace
}  // namespace state
