#include "gitsync/source/discover.h"

#include <gtest/gtest.h>

#include "gitsync/testing/fake_git.h"

namespace gitsync {
namespace {

constexpr char kLinkMark[] = "-> ";  // a file with this content becomes a symbolic link

// The deployed paths, then a line for each error.
std::string Discovered(const FakeGit::Files& files,
                       const std::optional<std::string>& root = std::nullopt) {
  std::vector<TreeEntry> entries;
  std::map<std::string, std::string> blobs;
  for (const auto& [path, text] : files) {
    TreeEntry entry{path, "oid of " + path, 0100644, text.size()};
    blobs[entry.oid] = text;
    if (text.starts_with(kLinkMark)) {
      entry.mode = 0120000;
      blobs[entry.oid] = text.substr(3);
    }
    entries.push_back(entry);
  }
  const auto found = Discover(
      entries, [&](const std::string& oid) { return base::Result<std::string>(blobs.at(oid)); },
      root);
  if (!found.ok()) return found.status().ToString();
  std::string text;
  for (const ManifestFile& file : found->files) text += file.path + " ";
  for (const SourceError& error : found->errors) text += "\n" + error.ToString();
  return text;
}

TEST(Discover, TakesManifestsIfThereIsOneElseTheRoot) {
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"b/c.yml", ""}, {"d.json", ""}, {"README.md", ""}}),
            "a.yaml b/c.yml d.json ");
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"manifests/b.yaml", ""}}), "manifests/b.yaml ");
}

TEST(Discover, BeginsWhereItIsAskedTo) {
  const FakeGit::Files files = {
      {"a.yaml", ""}, {"apps/b.yaml", ""}, {"apps/c/d.yaml", ""}, {"manifests/e.yaml", ""}};
  EXPECT_EQ(Discovered(files, "apps/"), "apps/b.yaml apps/c/d.yaml ");
  EXPECT_EQ(Discovered(files, "apps/c/"), "apps/c/d.yaml ");
  EXPECT_EQ(Discovered(files, ""), "a.yaml apps/b.yaml apps/c/d.yaml manifests/e.yaml ");
  EXPECT_EQ(Discovered(files, "app/"),
            "\napp: the commit has no such directory; add it, or correct spec.path of the "
            "Kustomization");
}

TEST(Discover, SkipsWhatIsHiddenOrIgnored) {
  EXPECT_EQ(Discovered({{".ci/a.yaml", ""},
                        {".lint.yaml", ""},
                        {"b/.x/c.yaml", ""},
                        {".sourceignore", "docs/\n"},
                        {"docs/d.yaml", ""},
                        {"e/.sourceignore", "old-*.yaml\n"},
                        {"e/old-f.yaml", ""},
                        {"e/g.yaml", ""}}),
            "e/g.yaml ");
}

TEST(Discover, RefusesADirectoryThatAsksToBeRendered) {
  EXPECT_EQ(Discovered({{"app/kustomization.yaml", ""}, {"app/a.yaml", ""}}),
            "app/a.yaml \napp/kustomization.yaml: a directory with a kustomization.yaml is not "
            "rendered yet; remove it and list plain manifests, or put the directory into "
            ".sourceignore");
  EXPECT_EQ(Discovered({{"app/kustomization.yaml", ""}, {".sourceignore", "app/"}}), "");
}

TEST(Discover, ALinkStandsForItsFileOnce) {
  EXPECT_EQ(Discovered({{"manifests/a.yaml", ""}, {"manifests/b.yaml", "-> a.yaml"}}),
            "manifests/a.yaml ");
  EXPECT_EQ(Discovered({{"shared/a.yaml", ""},
                        {"manifests/b.yaml", "-> ../shared/a.yaml"},
                        {"manifests/c.yaml", "-> b.yaml"}}),
            "manifests/b.yaml ");
}

TEST(Discover, RefusesLinksThatLeaveLoopOrLeadNowhere) {
  EXPECT_EQ(Discovered({{"a.yaml", "-> ../../etc/passwd"}}),
            "\na.yaml: this symbolic link points outside of the repository; copy the file into it");
  EXPECT_EQ(Discovered({{"a.yaml", "-> /etc/passwd"}}),
            "\na.yaml: this symbolic link points outside of the repository; copy the file into it");
  EXPECT_EQ(Discovered({{"a.yaml", "-> b.yaml"}}),
            "\na.yaml: this symbolic link points at nothing; correct or remove it");
  EXPECT_EQ(
      Discovered({{"a.yaml", "-> a.yaml"}}),
      "\na.yaml: this symbolic link leads through more than 8 others; link to the file itself");
  EXPECT_EQ(
      Discovered({{"x/b.yaml", ""}, {"all", "-> x"}}),
      "x/b.yaml \nall: links to directories are not followed; move the files here, or list the "
      "link in .sourceignore");
}

}  // namespace
}  // namespace gitsync
