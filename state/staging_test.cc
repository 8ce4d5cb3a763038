// A transaction that was prepared is committed as one that was not: the same answers, objects,
// indexes, log and records, whatever came between.
#include "state/staging.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "base/faults.h"
#include "base/rng.h"
#include "base/testing/sim_loop.h"
#include "state/store.h"
#include "state/testing/memory_storage.h"

namespace state {
namespace {

constexpr uint64_t kStagedKeys = 20, kStagedOwners = 3;

base::Document OwnedDoc(std::string_view name, uint64_t owner) {
  base::Json owners = base::Json::MakeArray();
  owners.Append(base::Json::MakeObject({{"uid", "owner-" + std::to_string(owner)}}));
  return base::Document(base::Json::MakeObject(
      {{"metadata", base::Json::MakeObject(
                        {{"name", name}, {"ownerReferences", owners}, {"resourceVersion", ""}})}}));
}

class CommitSide {
 public:
  CommitSide() {
    auto opened = Store::Open(loop_, storage_, {}, [](const base::Status&) { FAIL(); });
    store_ = *std::move(opened);
    told_ = store_->OnCommit([this](const Change& change) {
      text_ += std::to_string(change.revision) + (change.removed ? "-" : "+") + change.key().name;
    });
  }

  Store& store() { return *store_; }

  std::string Commit(const Transaction& transaction, PreparedTransaction* prepared) {
    const auto committed = store_->Commit(transaction, prepared);
    if (!committed.ok()) return committed.status().ToString();
    return std::to_string(committed->first) + "-" + std::to_string(committed->last) + " " +
           std::to_string(committed->objects.size());
  }

  // All that a commit leaves, once it is durable.
  std::string Describe() {
    loop_.RunFor(base::Duration::Seconds(1));
    std::string text = std::exchange(text_, "") + "@" + std::to_string(store_->durable()) + "\n";
    store_->view().ForEach([&](const ObjectPtr& object) {
      text += std::to_string(object->revision) + std::string(object->document.Bytes()) + "\n";
    });
    for (uint64_t owner = 0; owner < kStagedOwners; ++owner) {
      const std::string uid = "owner-" + std::to_string(owner);
      for (const ObjectPtr& object : store_->view().Lookup(Index::kOwner, uid))
        text += uid + object->key.name + std::to_string(object->revision) + " ";
    }
    const base::Status status = storage_.Scan("", "", [&](auto key, auto value) {
      text.append(key).append(value);
      return true;
    });
    return text + status.ToString();
  }

 private:
  base::SimLoop loop_{1};
  base::Faults faults_{1};
  MemoryStorage storage_{&faults_, {}};
  std::unique_ptr<Store> store_;
  base::Subscription told_;
  std::string text_;
};

// Of `count` different objects, as the view has them; now and then one expects what is not so.
Transaction AnyWrites(base::Rng& rng, const View& view, size_t count) {
  std::map<std::string, Write> writes;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "n" + std::to_string(rng.Below(kStagedKeys));
    const Key key{"things", "default", name};
    const ObjectPtr now = view.Get(key);
    Write write{key, OwnedDoc(name, rng.Below(kStagedOwners)), now ? now->revision : 0};
    if (now != nullptr && rng.Below(3) == 0) write.document.reset();
    if (rng.Below(40) == 0) ++write.expected, write.document = OwnedDoc(name, 0);
    writes.insert_or_assign(name, write);
  }
  Transaction transaction;
  for (auto& [name, write] : writes) transaction.writes.push_back(std::move(write));
  return transaction;
}

TEST(PreparedTransactionTest, IsCommittedAsAnyOther) {
  size_t conflicts = 0, moved = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    base::Rng rng(seed);
    CommitSide plain, prepared;
    for (int round = 0; round < 60; ++round) {
      Transaction large = AnyWrites(rng, plain.store().view(), 1 + rng.Below(8));
      PreparedTransaction ahead(prepared.store().view(), large.writes);
      for (uint64_t others = rng.Below(4); others > 0; --others) {
        const Transaction small = AnyWrites(rng, plain.store().view(), 1);
        EXPECT_EQ(prepared.Commit(small, nullptr), plain.Commit(small, nullptr));
        ++moved;
      }
      if (rng.Below(3) == 0)  // what came to it later
        large.writes.push_back(
            Write{{"things", "late", std::to_string(round)}, OwnedDoc("late", 1), 0});
      const std::string answer = plain.Commit(large, nullptr);
      EXPECT_EQ(prepared.Commit(large, &ahead), answer);
      conflicts += answer.find("changed meanwhile") != std::string::npos;
      ASSERT_EQ(prepared.Describe(), plain.Describe()) << "seed " << seed << " round " << round;
    }
  }
  EXPECT_GT(conflicts, 50u);
  EXPECT_GT(moved, 500u);
}

TEST(PreparedTransactionTest, IsGivenTheRevisionsThatAreNext) {
  CommitSide side;
  for (int i = 0; i < 20; ++i)
    side.Commit({{Write{{"things", "", "s" + std::to_string(i)}, OwnedDoc("s", 0), 0}}}, nullptr);
  Transaction large;
  for (int i = 0; i < 9; ++i)
    large.writes.push_back(Write{{"things", "", "l" + std::to_string(i)}, OwnedDoc("l", 0), 0});
  PreparedTransaction prepared(side.store().view(), large.writes);
  side.Commit({{Write{{"things", "", "other"}, OwnedDoc("other", 1), 0}}}, nullptr);
  EXPECT_EQ(side.Commit(large, &prepared), "22-30 9");
  EXPECT_EQ(side.store().view().Get("things", "", "l8")->Meta("resourceVersion").AsString(), "30");
  EXPECT_NE(side.store().view().Get("things", "", "other"), nullptr);
}

TEST(PreparedTransactionTest, ItsRevisionsMayGetLonger) {
  CommitSide side;
  Transaction large;
  for (int i = 0; i < 9; ++i)
    large.writes.push_back(Write{{"things", "", "l" + std::to_string(i)}, OwnedDoc("l", 0), 0});
  PreparedTransaction prepared(side.store().view(), large.writes);
  side.Commit({{Write{{"things", "", "other"}, OwnedDoc("other", 1), 0}}}, nullptr);
  const ObjectPtr other = side.store().view().Get("things", "", "other");
  ASSERT_TRUE(prepared.MoveTo(side.store().view(), std::vector<Change>{{1, other, nullptr}}));
  EXPECT_EQ(prepared.after().Get("things", "", "l7")->Meta("resourceVersion").AsString(), "9");
  EXPECT_EQ(prepared.after().Get("things", "", "l8")->Meta("resourceVersion").AsString(), "10");
}

}  // namespace
}  // namespace state
