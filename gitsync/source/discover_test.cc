#include "gitsync/source/discover.h"

#include <gtest/gtest.h>

#include "gitsync/testing/fake_git.h"

namespace gitsync {
namespace {

constexpr char kLinkMark[] = "-> ";  // a file with this content becomes a symbolic link
constexpr char kSubmodule[] = "submodule";

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
    if (text == kSubmodule) entry.mode = 0160000;
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
            "\napp/kustomization.yaml: a directory with a kustomization.yaml is not "
            "rendered yet; remove it and list plain manifests, or put the directory into "
            ".sourceignore");
  EXPECT_EQ(Discovered({{"app/kustomization.yaml", ""}, {".sourceignore", "app/"}}), "");
}

TEST(Discover, WhatIsToBeRenderedIsOneMistakeOfItsDirectory) {
  EXPECT_EQ(Discovered({{"a.yaml", ""},
                        {"web/Chart.yaml", ""},
                        {"web/values.yaml", ""},
                        {"web/templates/b.yaml", ""},
                        {"web/charts/db/Chart.yaml", ""},
                        {"web/charts/db/templates/c.yaml", ""}}),
            "a.yaml \nweb/Chart.yaml: this directory is a Helm chart, which is not rendered yet; "
            "push what helm template makes of it, or put the directory into .sourceignore");
  EXPECT_EQ(Discovered({{"jsonnetfile.json", ""}, {"jsonnetfile.lock.json", ""}, {"x.json", ""}}),
            "\njsonnetfile.json: this directory is a Jsonnet application, which is not rendered "
            "yet; push the manifests that it makes, or put the directory into .sourceignore");
  // An object in a file of that name.
  EXPECT_EQ(Discovered({{"Chart.yaml", ""}, {"b.yaml", ""}}), "Chart.yaml b.yaml ");
}

TEST(Discover, ASubmoduleIsNotTakenForAbsent) {
  const std::string cannot_see =
      ": this is a submodule, another repository, whose files plumb cannot see; add its files to "
      "this repository instead, or list it in .sourceignore";
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"lib", kSubmodule}}), "a.yaml \nlib" + cannot_see);
  EXPECT_EQ(Discovered({{"a.yaml", kSubmodule}}), "\na.yaml" + cannot_see);
  EXPECT_EQ(Discovered({{"manifests/a.yaml", ""}, {"manifests/b/c", kSubmodule}}),
            "manifests/a.yaml \nmanifests/b/c" + cannot_see);
  EXPECT_EQ(Discovered({{"manifests/a.yaml", ""}, {"lib", kSubmodule}}), "manifests/a.yaml ");
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"lib", kSubmodule}, {".sourceignore", "lib/\n"}}),
            "a.yaml ");
}

TEST(Discover, ASubmoduleThatHidesWhatIsDeployedIsNamed) {
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"manifests", kSubmodule}}),
            "\nmanifests: this is a submodule, and manifests in it is to be deployed, which plumb "
            "cannot see; add its files to this repository instead");
  EXPECT_EQ(Discovered({{"a.yaml", ""}, {"apps", kSubmodule}}, "apps/web/"),
            "\napps: this is a submodule, and apps/web in it is to be deployed, which plumb cannot "
            "see; add its files to this repository instead");
  EXPECT_EQ(Discovered({{"a.yaml", "-> lib/a.yaml"}, {"lib", kSubmodule}}, ""),
            "\na.yaml: this symbolic link leads into a submodule, another repository, whose files "
            "plumb cannot see; copy the file here\nlib: this is a submodule, another repository, "
            "whose files plumb cannot see; add its files to this repository instead, or list it in "
            ".sourceignore");
}

TEST(Discover, APointerOfLfsIgnoresNothing) {
  EXPECT_EQ(
      Discovered(
          {{"a.yaml", ""}, {".sourceignore", "version https://git-lfs.github.com/spec/v1\n"}}),
      "a.yaml \n.sourceignore: this is a pointer of Git LFS, not the file that it stands for, "
      "which plumb does not have; keep it out of LFS");
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
