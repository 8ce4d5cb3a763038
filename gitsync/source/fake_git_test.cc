#include "gitsync/testing/fake_git.h"

#include <gtest/gtest.h>

#include "gitsync/testing/git_contract.h"

namespace gitsync {
namespace {

using base::WallTime;

class FakeDriver : public GitDriver {
 public:
  GitStore& store() override { return git_; }
  FakeGit::Staged Stage(const std::string& repository, const std::string& ref,
                        const FakeGit::Files& files, const std::string& message, WallTime time,
                        bool force) override {
    return git_.Stage(repository, ref, files, message, time, force);
  }
  void Accept(const FakeGit::Staged& staged) override { ASSERT_TRUE(git_.Accept(staged).ok()); }
  void Drop(const FakeGit::Staged& staged) override { git_.Drop(staged); }

 private:
  FakeGit git_;
};

std::unique_ptr<GitDriver> MakeFake() { return std::make_unique<FakeDriver>(); }
INSTANTIATE_TEST_SUITE_P(Fake, GitContract, testing::Values(GitUnderTest{"Fake", &MakeFake}),
                         GitName);

TEST(FakeGit, OfTwoPushesOnOneCommitTheSecondIsRefused) {
  FakeGit git;
  ASSERT_TRUE(git.Create("shop", "main").ok());
  const auto first = git.Stage("shop", "refs/heads/main", {{"a", "1"}}, "one\n", {});
  const auto second = git.Stage("shop", "refs/heads/main", {{"a", "2"}}, "two\n", {});
  EXPECT_TRUE(git.Accept(first).ok());
  EXPECT_EQ(git.Accept(second).code(), base::Code::kConflict);
  EXPECT_EQ(git.Refs("shop"),
            (std::map<std::string, std::string>{{"refs/heads/main", first.new_oid}}));
}

TEST(FakeGit, FaultsFailWithoutAnEffect) {
  base::Faults faults(1);
  FakeGit git(&faults);
  ASSERT_TRUE(git.Create("shop", "main").ok());
  const std::string oid = git.Push("shop", "refs/heads/main", {{"a", "1"}}, "one\n", {});
  faults.SetOnce("git.read.fail");
  EXPECT_EQ(git.ReadCommit("shop", oid).status().code(), base::Code::kUnavailable);
  EXPECT_TRUE(git.ReadCommit("shop", oid).ok());
  faults.SetOnce("git.commit.fail");
  EXPECT_EQ(git.WriteNote("shop", "refs/notes/plumb", oid, "x", {}).code(),
            base::Code::kUnavailable);
  EXPECT_EQ(git.Refs("shop").size(), 1u);
}

TEST(FakeGit, ADeletedBranchIsGone) {
  FakeGit git;
  ASSERT_TRUE(git.Create("shop", "main").ok());
  const std::string oid = git.Push("shop", "refs/heads/main", {{"a", "1"}}, "one\n", {});
  git.SetRef("shop", "refs/heads/preview", oid);
  git.DeleteRef("shop", "refs/heads/main");
  EXPECT_EQ(git.Refs("shop"), (std::map<std::string, std::string>{{"refs/heads/preview", oid}}));
}

}  // namespace
}  // namespace gitsync
