#include "state/owner_pool.h"

#include <gtest/gtest.h>

namespace state {
namespace {

manifests::ManagedFieldsPtr Owns(const std::string& manager, const std::string& field) {
  manifests::FieldSet::Builder builder;
  builder.Add("f:" + field, true);
  manifests::ManagedFields entries;
  entries.push_back({std::make_shared<const manifests::FieldManager>(
                         manifests::FieldManager{manager, false, "v1", ""}),
                     base::WallTime::FromSeconds(1),
                     std::make_shared<const manifests::FieldSet>(builder.Build())});
  return std::make_shared<const manifests::ManagedFields>(std::move(entries));
}

TEST(OwnerPoolTest, EqualSetsAndManagersAreOneObject) {
  OwnerPool pool;
  const auto a = pool.Share(Owns("kubectl", "data"));
  const auto b = pool.Share(Owns("kubectl", "data"));
  EXPECT_EQ(a->front().fields, b->front().fields);
  EXPECT_EQ(a->front().manager, b->front().manager);
  EXPECT_EQ(pool.Share(a), a);
  EXPECT_EQ(pool.Share(nullptr), nullptr);
}

TEST(OwnerPoolTest, SetsThatDifferLittleAreKeptAsTheirDifference) {
  const std::string long_name(100, 'x');
  OwnerPool pool;
  std::vector<manifests::ManagedFieldsPtr> kept;
  for (int i = 1000; i < 2000; ++i) {
    const auto owns = Owns("plumb-node", long_name + std::to_string(i));
    kept.push_back(pool.Share(owns));
    EXPECT_TRUE(SameOwners(*kept.back(), *owns));
    EXPECT_EQ(pool.Share(kept.back()), kept.back());
  }
  EXPECT_EQ(pool.sets(), 1u);
}

TEST(OwnerPoolTest, WhatNobodyHasIsForgotten) {
  OwnerPool pool;
  const auto kept = pool.Share(Owns("kubectl", "kept"));
  for (int i = 0; i < 10'000; ++i) (void)pool.Share(Owns("kubectl", "f" + std::to_string(i)));
  EXPECT_LT(pool.sets(), 2'000u);
  EXPECT_EQ(pool.Share(Owns("kubectl", "kept"))->front().fields, kept->front().fields);
}

}  // namespace
}  // namespace state
