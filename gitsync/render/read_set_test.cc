#include "gitsync/render/read_set.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "gitsync/testing/fake_git.h"

namespace gitsync {
namespace {

using base::WallTime;

// Counts how much is read.
class CountingGit : public FakeGit {
 public:
  base::Result<std::vector<TreeEntry>> ReadTree(const std::string& repository,
                                                const std::string& commit,
                                                const Quarantine& quarantine = {}) override {
    ++trees;
    return FakeGit::ReadTree(repository, commit, quarantine);
  }
  int trees = 0;
};

std::string Map(const std::string& name) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n";
}

std::string Describe(const ManifestSet& set) {
  std::string text = set.tree + "\n";
  for (const Manifest& manifest : set.manifests) {
    text += manifest.key.ToString() + " in " + manifest.path + "\n";
  }
  for (const SourceError& error : set.errors) text += error.ToString() + "\n";
  return text;
}

class ReadSetTest : public testing::Test {
 protected:
  ReadSetTest() { EXPECT_TRUE(git_.Create("shop", "main").ok()); }

  std::shared_ptr<const ManifestSet> Read(const FakeGit::Files& files,
                                          const ManifestSet* near = nullptr) {
    const std::string commit =
        git_.Push("shop", "refs/heads/main", files, "next", WallTime::FromSeconds(++seconds_));
    return ReadCommit(commit, near);
  }
  std::shared_ptr<const ManifestSet> ReadCommit(const std::string& commit,
                                                const ManifestSet* near) {
    const auto schema = manifests::Schema::BuiltIn();
    auto set = ReadSet(SetSource{git_, "shop", {}, scope_, schema, cache_}, commit, near);
    EXPECT_TRUE(set.ok()) << set.status().ToString();
    return *set;
  }

  CountingGit git_;
  ParseCache cache_;
  ApplicationScope scope_;
  int64_t seconds_ = 0;
};

TEST_F(ReadSetTest, AFewChangedFilesArePatchedIn) {
  const auto first = Read({{"a.yaml", Map("a")}, {"b.yaml", Map("b")}, {"c.yaml", Map("c")}});
  git_.trees = 0;
  const auto second =
      Read({{"a.yaml", Map("a")}, {"b.yaml", Map("b2")}, {"d.yaml", Map("d")}}, first.get());
  EXPECT_EQ(git_.trees, 0);
  EXPECT_EQ(Describe(*second), second->tree +
                                   "\n"
                                   "configmaps default/a in a.yaml\n"
                                   "configmaps default/b2 in b.yaml\n"
                                   "configmaps default/d in d.yaml\n");
  EXPECT_EQ(second->manifests[0].object, first->manifests[0].object);
}

TEST_F(ReadSetTest, AnotherScopeReadsEverythingAnew) {
  const auto first = Read({{"a.yaml", Map("a")}});
  scope_.default_namespace = "shop";
  EXPECT_EQ(Read({{"a.yaml", Map("a")}, {"b.yaml", Map("b")}}, first.get())->manifests[0].key.ns,
            "shop");
}

// The sets of both applications, however they are read.
class SourceReaderTest : public ReadSetTest {
 protected:
  std::string ReadBoth(const std::string& commit, const Quarantine& quarantine = {}) {
    const auto sets = reader_.Read(commit, quarantine, {{{"one", "x/", {}}, {"two", "y/", {}}}, {}},
                                   manifests::Schema::BuiltIn());
    EXPECT_TRUE(sets.ok()) << sets.status().ToString();
    std::string text;
    for (const auto& [name, set] : (*sets)->sets) {
      text += name + ":";
      for (const Manifest& manifest : set->manifests) text += " " + manifest.path;
      text += "; ";
    }
    return text;
  }
  SourceReader reader_{git_, "shop"};
};

TEST_F(SourceReaderTest, ReadsATreeOnceForAllApplications) {
  const std::string commit =
      git_.Push("shop", "refs/heads/main", {{"x/a.yaml", Map("a")}, {"y/b.yaml", Map("b")}}, "m",
                WallTime::FromSeconds(1));
  EXPECT_EQ(ReadBoth(commit), "one: x/a.yaml; two: y/b.yaml; ");
  EXPECT_EQ(ReadBoth(commit), "one: x/a.yaml; two: y/b.yaml; ");
  EXPECT_EQ(git_.trees, 1);
}

TEST_F(SourceReaderTest, PatchesNothingFromWhatWasRefused) {
  FakeGit::Files files = {{"x/a.yaml", Map("a")}, {"y/b.yaml", Map("b")}};
  ReadBoth(git_.Push("shop", "refs/heads/main", files, "m", WallTime::FromSeconds(1)));
  const auto refused = git_.Stage("shop", "refs/heads/main", {{"x/c.yaml", Map("c")}, {"y/d", ""}},
                                  "m", WallTime::FromSeconds(2));
  EXPECT_EQ(ReadBoth(refused.new_oid, refused.quarantine), "one: x/c.yaml; two:; ");
  git_.Drop(refused);
  git_.trees = 0;
  files["x/e.yaml"] = Map("e");
  EXPECT_EQ(ReadBoth(git_.Push("shop", "refs/heads/main", files, "m", WallTime::FromSeconds(3))),
            "one: x/a.yaml x/e.yaml; two: y/b.yaml; ");
  EXPECT_EQ(git_.trees, 0);
}

// Whatever is edited, patching gives what reading the whole tree gives.
TEST_F(ReadSetTest, PatchingGivesWhatReadingGives) {
  const std::vector<std::string> paths = {
      "a.yaml",           "b.yaml",          "x/a.yaml",          "x/y/b.yml",
      "manifests/a.yaml", "README",          "manifests/README",  "c.json",
      ".hidden.yaml",     "x/.sourceignore", "kustomization.yaml"};
  base::Rng rng(7);
  int patched = 0;
  for (int round = 0; round < 20; ++round) {
    FakeGit::Files files = {{"a.yaml", Map("a")}};
    auto near = Read(files);
    for (int step = 0; step < 30; ++step) {
      const std::string& path = paths[rng.Below(paths.size())];
      // Most edits are of files that matter and are in order.
      if (rng.Below(3) == 0) {
        files.erase(path);
      } else if (path.ends_with("ignore")) {
        files[path] = "*.yml\n";
      } else if (rng.Below(12) == 0) {
        files[path] = "not: [a manifest\n";
      } else {
        files[path] = Map("n" + std::to_string(rng.Below(8)));
      }
      if (path == "kustomization.yaml" && rng.Below(3) != 0) files.erase(path);
      git_.trees = 0;
      const auto next = Read(files, near.get());
      if (git_.trees == 0) ++patched;
      ASSERT_EQ(Describe(*next), Describe(*ReadCommit(next->commit, nullptr)))
          << "round " << round << ", step " << step;
      near = next;
    }
  }
  EXPECT_GT(patched, 100);
}

// Pushed one by one, many small files of aliases are as much as pushed at once.
TEST_F(ReadSetTest, WhatIsPatchedInIsCountedWithWhatIsThere) {
  const auto file = [](const std::string& name) {
    std::string text = Map(name) + "x:\n- &a [1,1,1,1,1,1,1,1,1,1]\n- &b [*a";
    for (int i = 1; i < 50; ++i) text += ",*a";
    text += "]\n- &c [*b";
    for (int i = 1; i < 50; ++i) text += ",*b";
    text += "]\n- [*c";
    for (int i = 1; i < 10; ++i) text += ",*c";
    return text + "]\n";
  };
  FakeGit::Files files;
  std::shared_ptr<const ManifestSet> set;
  std::string errors;
  for (const std::string name : {"a", "b", "c", "d"}) {
    files[name + ".yaml"] = file(name);
    set = Read(files, set.get());
    errors += name + " " + std::to_string(set->errors.size()) + "\n";
  }
  EXPECT_EQ(errors, "a 0\nb 0\nc 0\nd 1\n");
}

}  // namespace
}  // namespace gitsync
