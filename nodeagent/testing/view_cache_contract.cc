#include "nodeagent/testing/view_cache_contract.h"

#include <utility>

namespace nodeagent {
namespace {

void Put(state::View& view, const state::Key& key, state::Revision revision,
         const std::string& json) {
  auto object = std::make_shared<state::Object>();
  object->key = key;
  object->revision = revision;
  object->document = *base::Document::Parse(json);
  view.Put(std::move(object));
}

CachedView Cached(const std::string& epoch, state::Revision revision) {
  CachedView cached;
  cached.epoch = epoch;
  cached.view.set_revision(revision);
  return cached;
}

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ViewCacheContract);

void PrintTo(const ViewCacheUnderTest& cache, std::ostream* out) { *out << cache.name; }

std::string ViewCacheName(const testing::TestParamInfo<ViewCacheUnderTest>& info) {
  return info.param.name;
}

std::string ViewCacheContract::Found() {
  const std::optional<CachedView> cached = world_->Open().Load();
  if (!cached) return "nothing";
  std::string text = cached->epoch + " at " + std::to_string(cached->view.revision()) + "\n";
  cached->view.ForEach([&text](const state::ObjectPtr& object) {
    text += std::to_string(object->revision) + " " + object->key.ToString() + " " +
            std::string(object->document.Bytes()) + "\n";
  });
  return text;
}

TEST_P(ViewCacheContract, BeforeTheFirstSaveThereIsNothing) { EXPECT_EQ(Found(), "nothing"); }

TEST_P(ViewCacheContract, WhatWasSavedIsFoundAgain) {
  CachedView cached = Cached("history-1", 42);
  Put(cached.view, {"nodes", "", "n1"}, 7, R"({"kind":"Node"})");
  Put(cached.view, {"pods", "shop", "web-1"}, 41, R"({"data":"ünï \n \"quoted\""})");
  Put(cached.view, {"endpointslices.discovery.k8s.io", "shop", "web.x"}, 9, "{}");
  ASSERT_TRUE(world_->Open().Save(cached).ok());
  EXPECT_EQ(Found(),
            "history-1 at 42\n"
            "9 endpointslices.discovery.k8s.io shop/web.x {}\n"
            "7 nodes n1 {\"kind\":\"Node\"}\n"
            "41 pods shop/web-1 {\"data\":\"ünï \\n \\\"quoted\\\"\"}\n");
  EXPECT_EQ(Found(), Found()) << "reading does not use it up";
}

TEST_P(ViewCacheContract, ASaveReplacesAllOfTheOneBefore) {
  CachedView first = Cached("history-1", 5);
  Put(first.view, {"pods", "shop", "old"}, 4, "{}");
  ASSERT_TRUE(world_->Open().Save(first).ok());
  CachedView second = Cached("history-2", 3);
  Put(second.view, {"pods", "shop", "new"}, 2, "{}");
  ASSERT_TRUE(world_->Open().Save(second).ok());
  EXPECT_EQ(Found(), "history-2 at 3\n2 pods shop/new {}\n");
}

TEST_P(ViewCacheContract, AnEmptyViewIsNotNothing) {
  ASSERT_TRUE(world_->Open().Save(Cached("", 0)).ok());
  EXPECT_EQ(Found(), " at 0\n");
}

// It is saved on a worker while the agent goes on with its own.
TEST_P(ViewCacheContract, WhatChangesAfterASaveIsNotSaved) {
  CachedView cached = Cached("history-1", 1);
  ASSERT_TRUE(world_->Open().Save(cached).ok());
  Put(cached.view, {"pods", "shop", "later"}, 2, "{}");
  EXPECT_EQ(Found(), "history-1 at 1\n");
}

}  // namespace nodeagent
