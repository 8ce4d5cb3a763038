#include "gitsync/render/source_sets.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gitsync {
namespace {

std::shared_ptr<const ManifestSet> Set(const std::set<std::string>& names) {
  auto set = std::make_shared<ManifestSet>();
  for (const std::string& name : names) {
    Manifest manifest;
    manifest.key = {"configmaps", "default", name};
    set->manifests.push_back(manifest);
  }
  return set;
}

std::string Other(const SourceSets& sets, const std::string& name, const std::string& object) {
  return sets.OtherWith(name, {"configmaps", "default", object});
}

TEST(SourceSets, SaysWhoElseTakesAnObject) {
  SourceSets sets;
  sets.sets = {{"back", Set({"b", "m"})}, {"front", Set({"f", "m"})}};
  sets.Index(nullptr);
  EXPECT_EQ(Other(sets, "front", "b"), "back");
  EXPECT_EQ(Other(sets, "back", "b"), "");
  EXPECT_EQ(Other(sets, "front", "m"), "back");
  EXPECT_EQ(Other(sets, "back", "m"), "front");
  EXPECT_EQ(Other(sets, "third", "m"), "back");
  EXPECT_EQ(Other(sets, "back", "x"), "");
}

TEST(SourceSets, SaysWhoseManifestsNobodyCouldRead) {
  SourceSets sets;
  auto broken = std::make_shared<ManifestSet>();
  broken->errors.push_back({"a.yaml", {}, "no"});
  auto missing = std::make_shared<ManifestSet>(*broken);
  missing->missing = true;
  sets.sets = {{"back", missing}, {"front", Set({})}};
  EXPECT_EQ(sets.OtherUnclear("front"), "");
  sets.sets["back"] = broken;
  EXPECT_EQ(sets.OtherUnclear("front"), "back");
  EXPECT_EQ(sets.OtherUnclear("back"), "");
  sets.unclear = {"a", "front"};
  EXPECT_EQ(sets.OtherUnclear("front"), "a");
}

// However applications and objects come and go, the index from the commit before is that from
// nothing.
TEST(SourceSets, AnIndexThatGrewIsOneThatWasMade) {
  base::Rng rng(7);
  const std::vector<std::string> names = {"a", "b", "c", "d"}, objects = {"k", "l", "m", "n", "o"};
  SourceSets last;
  for (int step = 0; step < 300; ++step) {
    SourceSets sets;
    sets.sets = last.sets;
    const std::string& changed = names[rng.Below(names.size())];
    std::set<std::string> of;
    for (const std::string& object : objects) {
      if (rng.Below(2) == 0) of.insert(object);
    }
    if (rng.Below(4) == 0) {
      sets.sets.erase(changed);
    } else {
      sets.sets[changed] = Set(of);
    }
    SourceSets fresh;
    fresh.sets = sets.sets;
    fresh.Index(nullptr);
    sets.Index(&last);
    for (const std::string& name : names) {
      for (const std::string& object : objects) {
        ASSERT_EQ(Other(sets, name, object), Other(fresh, name, object)) << "step " << step;
      }
    }
    last = std::move(sets);
  }
}

}  // namespace
}  // namespace gitsync
