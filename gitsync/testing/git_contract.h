// What every GitStore promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(Fake, GitContract, testing::Values(GitUnderTest{"Fake", &MakeFake}),
//                            GitName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "gitsync/source/git.h"
#include "gitsync/testing/fake_git.h"

namespace gitsync {

// Owns a store and can do what a user of its repositories does.
class GitDriver {
 public:
  virtual ~GitDriver() = default;
  virtual GitStore& store() = 0;
  // As FakeGit's.
  virtual FakeGit::Staged Stage(const std::string& repository, const std::string& ref,
                                const FakeGit::Files& files, const std::string& message,
                                base::WallTime time, bool force) = 0;
  virtual void Accept(const FakeGit::Staged& staged) = 0;
  virtual void Drop(const FakeGit::Staged& staged) = 0;
};

struct GitUnderTest {
  std::string name;
  std::unique_ptr<GitDriver> (*make)();
};

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string GitName(const testing::TestParamInfo<GitUnderTest>& info);

class GitContract : public testing::TestWithParam<GitUnderTest> {
 protected:
  void SetUp() override;
  GitStore& store() { return driver_->store(); }
  // Stage and Accept on repository "shop", at `seconds` after 1970; the commit's id.
  std::string Push(const std::string& ref, const FakeGit::Files& files, const std::string& message,
                   int64_t seconds, bool force = false);
  // A commit of plumb's own on refs/heads/plumb/status of "shop".
  GitStore::NewCommit StatusCommit(const FakeGit::Files& files, const std::string& message,
                                   int64_t seconds) const;

  std::unique_ptr<GitDriver> driver_;
};

}  // namespace gitsync
