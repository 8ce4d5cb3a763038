#include "gitsync/source/sourceignore.h"

#include <gtest/gtest.h>

namespace gitsync {
namespace {

// The ones of `paths` that are ignored; a directory has a slash at its end.
std::string Ignored(const std::string& rules, const std::vector<std::string>& paths) {
  const base::Result<IgnoreRules> parsed = IgnoreRules::Parse(rules);
  if (!parsed.ok()) return parsed.status().ToString();
  std::string ignored;
  for (std::string path : paths) {
    const bool is_dir = path.ends_with('/');
    if (is_dir) path.pop_back();
    if (parsed->Ignored(path, is_dir)) ignored += path + " ";
  }
  return ignored;
}

TEST(SourceIgnore, NoRulesIgnoreNothing) {
  EXPECT_EQ(Ignored("\n# a comment\n\r\n", {"a", "# a comment", "b/"}), "");
}

TEST(SourceIgnore, ANameMatchesAtAnyDepthAndAPathOnlyAtTheRoot) {
  EXPECT_EQ(Ignored("a.yaml\n/b.yaml\nx/c.yaml\n",
                    {"a.yaml", "d/a.yaml", "b.yaml", "d/b.yaml", "x/c.yaml", "d/x/c.yaml"}),
            "a.yaml d/a.yaml b.yaml x/c.yaml ");
}

TEST(SourceIgnore, TheLastMatchingRuleDecides) {
  EXPECT_EQ(Ignored("*.md\n!README.md\n", {"a.md", "README.md", "d/README.md"}), "a.md ");
  EXPECT_EQ(Ignored("!README.md\n*.md\n", {"a.md", "README.md"}), "a.md README.md ");
}

TEST(SourceIgnore, NothingInAnIgnoredDirectoryIsTakenBack) {
  EXPECT_EQ(Ignored("docs/\n!docs/keep.yaml\n", {"docs/", "docs/keep.yaml", "docs"}),
            "docs docs/keep.yaml ");
  EXPECT_EQ(Ignored("docs/*\n!docs/keep.yaml\n", {"docs/", "docs/keep.yaml", "docs/x"}), "docs/x ");
}

TEST(SourceIgnore, DoubleStarsSpanDirectories) {
  EXPECT_EQ(Ignored("**/t.yaml\n", {"t.yaml", "a/t.yaml", "a/b/t.yaml", "at.yaml"}),
            "t.yaml a/t.yaml a/b/t.yaml ");
  EXPECT_EQ(Ignored("a/**/z\n", {"a/z", "a/b/z", "a/b/c/z", "a/bz", "az"}), "a/z a/b/z a/b/c/z ");
  EXPECT_EQ(Ignored("a/**\n", {"a/", "a/b", "a/b/c"}), "a/b a/b/c ");
}

TEST(SourceIgnore, LimitsNameTheLine) {
  EXPECT_EQ(
      Ignored("a\n" + std::string(kMaxIgnorePatternBytes + 1, 'x') + "\n", {}),
      "RequestEntityTooLarge: line 2: an ignore file has at most 1000 patterns of 1024 bytes");
  std::string many;
  for (size_t i = 0; i <= kMaxIgnoreRules; ++i) many += "a\n";
  EXPECT_EQ(Ignored(many, {}),
            "RequestEntityTooLarge: line 1001: an ignore file has at most 1000 patterns of 1024 "
            "bytes");
  EXPECT_EQ(IgnoreRules::Parse(std::string(kMaxIgnoreBytes + 1, '\n')).status().code(),
            base::Code::kTooLarge);
}

TEST(SourceIgnore, APatternOfManyStarsIsNoBomb) {
  std::string stars;
  for (int i = 0; i < 250; ++i) stars += "*a**";
  EXPECT_EQ(Ignored(stars + "b\n", {std::string(4000, 'a')}), "");
}

}  // namespace
}  // namespace gitsync
