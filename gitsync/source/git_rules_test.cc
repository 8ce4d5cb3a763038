#include "gitsync/source/git_rules.h"

#include <gtest/gtest.h>

namespace gitsync {
namespace {

using base::Result;
using base::WallTime;

std::string Split(const std::string& message) {
  const MessageParts parts = SplitMessage(message);
  return parts.subject + " | " + parts.body;
}

TEST(GitRules, TheFirstParagraphIsTheSubject) {
  EXPECT_EQ(Split("One\n"), "One | ");
  EXPECT_EQ(Split("\n\n  One \n two\n\n\nBody\n\nmore \n\n"), "One two | Body\n\nmore");
  EXPECT_EQ(Split("One\r\n\r\nBody\r\n"), "One | Body");
  EXPECT_EQ(Split("One"), "One | ");
  EXPECT_EQ(Split(""), " | ");
}

TEST(GitRules, ARefIsNamedAsGitAllows) {
  for (const std::string ref :
       {"refs/heads/main", "refs/heads/a/b", "refs/tags/v1.0", "refs/x/@"}) {
    EXPECT_TRUE(CheckRefName(ref).ok()) << ref;
  }
  for (const std::string ref : {"",
                                "main",
                                "refs/",
                                "refs/heads",
                                "refs/heads/",
                                "refs//a",
                                "refs/heads/.a",
                                "refs/heads/a.",
                                "refs/heads/a.lock",
                                "refs/heads/a.lock/b",
                                "refs/heads/a..b",
                                "refs/heads/a b",
                                "refs/heads/a~",
                                "refs/heads/a^",
                                "refs/heads/a:",
                                "refs/heads/a?",
                                "refs/heads/a*",
                                "refs/heads/a[",
                                "refs/heads/a\\",
                                "refs/heads/a@{b",
                                "refs/heads/a\nb",
                                "refs/heads/../x",
                                "xrefs/heads/a"}) {
    EXPECT_FALSE(CheckRefName(ref).ok()) << ref;
  }
  EXPECT_FALSE(CheckRefName("refs/heads/" + std::string(kMaxRefBytes, 'a')).ok());
}

TEST(GitRules, HistoryOfAMergeIsByTimeAndHasEachCommitOnce) {
  // base(1) <- left(4), base <- right(3) <- merge(5) of left and right
  std::map<std::string, CommitInfo> commits;
  const auto add = [&](const std::string& oid, int64_t time, std::vector<std::string> parents) {
    commits[oid].oid = oid;
    commits[oid].author_time = WallTime::FromSeconds(time);
    commits[oid].parents = std::move(parents);
  };
  add("base", 1, {});
  add("left", 4, {"base"});
  add("right", 3, {"base"});
  add("merge", 5, {"right", "left"});
  size_t reads = 0;
  const auto walk = [&](size_t most) {
    const auto history = WalkHistory("merge", most, [&](const std::string& oid) {
      ++reads;
      return Result<CommitInfo>(commits.at(oid));
    });
    std::string text;
    for (const CommitInfo& commit : *history) text += commit.oid + " ";
    return text;
  };
  EXPECT_EQ(walk(9), "merge left right base ");
  EXPECT_EQ(reads, 4u);
  EXPECT_EQ(walk(2), "merge left ");
}

TEST(GitRules, ACommitHasABoundedNumberOfFiles) {
  std::map<std::string, std::string> files;
  for (size_t i = 0; i <= kMaxTreeEntries; ++i) files[std::to_string(i)];
  EXPECT_EQ(NestFiles(files).status().message(), "a commit of 200001 files has more than 200000");
  files.erase("0");
  EXPECT_TRUE(NestFiles(files).ok());
}

}  // namespace
}  // namespace gitsync
