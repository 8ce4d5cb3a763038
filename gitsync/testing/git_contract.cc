#include "gitsync/testing/git_contract.h"

namespace gitsync {

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GitContract);

using base::Result;
using base::Status;
using base::WallTime;

std::string GitName(const testing::TestParamInfo<GitUnderTest>& info) { return info.param.name; }

namespace {

constexpr char kMain[] = "refs/heads/main";
constexpr char kStatus[] = "refs/heads/plumb/status";
constexpr char kNotes[] = "refs/notes/plumb";

// The value, or the name of the code that stands for the failure.
std::string Text(const Result<std::string>& result) {
  return result.ok() ? *result : std::string(result.status().ToString());
}
// "Invalid", without the message, which each store words itself.
std::string CodeName(const Status& status) {
  const std::string text = status.ToString();
  return text.substr(0, text.find(':'));
}

std::string Describe(const Result<CommitInfo>& commit) {
  if (!commit.ok()) return CodeName(commit.status());
  return std::to_string(commit->parents.size()) + " parents, " + commit->author_name + " <" +
         commit->author_email + "> at " + commit->author_time.ToString() + ": " + commit->subject +
         " | " + commit->body;
}

// One line a file: "path size oid".
std::string Describe(const Result<std::vector<TreeEntry>>& tree) {
  if (!tree.ok()) return CodeName(tree.status());
  std::string text;
  for (const TreeEntry& entry : *tree) {
    text += entry.path + " " + std::to_string(entry.size) + " " + entry.oid.substr(0, 7) + "\n";
  }
  return text;
}

// One line a file: "path before -> after", the oids shortened.
std::string Describe(const Result<std::vector<TreeChange>>& changes) {
  if (!changes.ok()) return CodeName(changes.status());
  const auto side = [](const std::optional<TreeEntry>& entry) {
    return entry ? entry->oid.substr(0, 7) + " " + std::to_string(entry->size) : "none";
  };
  std::string text;
  for (const TreeChange& change : *changes) {
    text += change.path() + " " + side(change.before) + " -> " + side(change.after) + "\n";
  }
  return text;
}

std::string Subjects(const Result<std::vector<CommitInfo>>& history) {
  if (!history.ok()) return CodeName(history.status());
  std::string text;
  for (const CommitInfo& commit : *history) text += commit.subject + "\n";
  return text;
}

}  // namespace

void GitContract::SetUp() {
  driver_ = GetParam().make();
  ASSERT_TRUE(store().Create("shop", "main").ok());
}

std::string GitContract::Push(const std::string& ref, const FakeGit::Files& files,
                              const std::string& message, int64_t seconds, bool force) {
  const FakeGit::Staged staged =
      driver_->Stage("shop", ref, files, message, WallTime::FromSeconds(seconds), force);
  driver_->Accept(staged);
  return staged.new_oid;
}

GitStore::NewCommit GitContract::StatusCommit(const FakeGit::Files& files,
                                              const std::string& message, int64_t seconds) const {
  GitStore::NewCommit commit;
  commit.ref = kStatus;
  commit.files = files;
  commit.message = message;
  commit.author_name = "plumb";
  commit.author_email = "plumb@localhost";
  commit.time = WallTime::FromSeconds(seconds);
  return commit;
}

TEST_P(GitContract, ARepositoryIsCreatedOnce) {
  EXPECT_EQ(CodeName(store().Create("shop", "main")), "AlreadyExists");
}

TEST_P(GitContract, NamesThatAreNoLabelAreRefusedEverywhere) {
  for (const std::string name : {"", "Shop", "a/b", "..", "-a", "a.git", "a b"}) {
    EXPECT_EQ(CodeName(store().Create(name, "main")), "Invalid") << name;
    EXPECT_EQ(CodeName(store().Delete(name)), "Invalid") << name;
    EXPECT_EQ(CodeName(store().Resolve(name, kMain).status()), "Invalid") << name;
  }
  EXPECT_EQ(CodeName(store().Create("fine", "two..dots")), "Invalid");
  EXPECT_EQ(CodeName(store().Resolve("shop", "main").status()), "Invalid");
  EXPECT_EQ(CodeName(store().Resolve("shop", "refs/heads/../../config").status()), "Invalid");
}

TEST_P(GitContract, ADeletedRepositoryIsNotFoundAndCanBeMadeAgain) {
  Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  ASSERT_TRUE(store().Resolve("shop", kMain).ok());
  ASSERT_TRUE(store().Delete("shop").ok());
  EXPECT_EQ(CodeName(store().Resolve("shop", kMain).status()), "NotFound");
  EXPECT_EQ(CodeName(store().Delete("shop")), "NotFound");
  ASSERT_TRUE(store().Create("shop", "main").ok());
  EXPECT_EQ(CodeName(store().Resolve("shop", kMain).status()), "NotFound");
}

TEST_P(GitContract, AnEmptyRepositoryHasNoHead) {
  EXPECT_EQ(CodeName(store().Resolve("shop", "HEAD").status()), "NotFound");
}

TEST_P(GitContract, APushedCommitReadsBack) {
  const std::string oid =
      Push(kMain, {{"hello.txt", "hello\n"}, {"app/web.yaml", ""}, {"app-b.yaml", "b"}},
           "Add the shop\nfront\n\nIt sells\nthings.\n", 86400);
  EXPECT_EQ(Text(store().Resolve("shop", kMain)), oid);
  EXPECT_EQ(Text(store().Resolve("shop", "HEAD")), oid);
  EXPECT_EQ(Describe(store().ReadCommit("shop", oid)),
            "0 parents, User <user@example.com> at 1970-01-02T00:00:00Z: Add the shop front | It "
            "sells\nthings.");
  EXPECT_EQ(Describe(store().ReadTree("shop", oid)),
            "app-b.yaml 1 63d8dbd\n"
            "app/web.yaml 0 e69de29\n"
            "hello.txt 6 ce01362\n");
  EXPECT_EQ(Text(store().ReadBlob("shop", "ce013625030ba8dba906f756967f9e9ca394464a")), "hello\n");
}

TEST_P(GitContract, ObjectsThatAreNotThereAreNotFound) {
  const std::string none = "1234567890123456789012345678901234567890";
  Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  EXPECT_EQ(CodeName(store().ReadBlob("shop", none).status()), "NotFound");
  EXPECT_EQ(CodeName(store().ReadCommit("shop", none).status()), "NotFound");
  EXPECT_EQ(CodeName(store().ReadTree("shop", none).status()), "NotFound");
  EXPECT_EQ(CodeName(store().History("shop", none, 5).status()), "NotFound");
  EXPECT_EQ(CodeName(store().WriteNote("shop", kNotes, none, "x", {})), "NotFound");
  EXPECT_EQ(CodeName(store().ReadBlob("shop", "HEAD").status()), "Invalid");
}

TEST_P(GitContract, QuarantinedObjectsAreSeenOnlyThroughTheirQuarantine) {
  const std::string first = Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  const FakeGit::Staged staged = driver_->Stage("shop", kMain, {{"a.yaml", "1"}, {"b.yaml", "2"}},
                                                "two\n", WallTime::FromSeconds(2), false);
  EXPECT_EQ(CodeName(store().ReadCommit("shop", staged.new_oid).status()), "NotFound");
  EXPECT_EQ(Subjects(store().History("shop", first, 9)), "one\n");
  EXPECT_EQ(Describe(store().ReadTree("shop", staged.new_oid, staged.quarantine)),
            "a.yaml 1 56a6051\n"
            "b.yaml 1 d8263ee\n");
  EXPECT_EQ(Describe(store().ReadTree("shop", first, staged.quarantine)), "a.yaml 1 56a6051\n");
  const std::string b = (*store().ReadTree("shop", staged.new_oid, staged.quarantine))[1].oid;
  EXPECT_EQ(Text(store().ReadBlob("shop", b, staged.quarantine)), "2");
  EXPECT_EQ(CodeName(store().ReadBlob("shop", b).status()), "NotFound");
  EXPECT_EQ(Text(store().Resolve("shop", kMain)), first);
}

TEST_P(GitContract, DiffNamesWhatTwoCommitsHaveDifferently) {
  const std::string one = Push(
      kMain, {{"a/x.yaml", "a"}, {"a/y.yaml", "b"}, {"b.yaml", "b"}, {"c", "was a file"}}, "1", 1);
  const FakeGit::Staged two = driver_->Stage(
      "shop", kMain, {{"a/x.yaml", "a"}, {"a/y.yaml", "a"}, {"a-b", "a"}, {"c/d.yaml", "b"}}, "2",
      WallTime::FromSeconds(2), false);
  EXPECT_EQ(Describe(store().Diff("shop", one, two.new_oid, 10, two.quarantine)),
            "a-b none -> 2e65efe 1\n"
            "a/y.yaml 63d8dbd 0 -> 2e65efe 1\n"
            "b.yaml 63d8dbd 0 -> none\n"
            "c cffc289 0 -> none\n"
            "c/d.yaml none -> 63d8dbd 1\n");
  EXPECT_EQ(Describe(store().Diff("shop", one, one, 10)), "");
  EXPECT_EQ(Describe(store().Diff("shop", one, two.new_oid, 4, two.quarantine)),
            "RequestEntityTooLarge");
  EXPECT_EQ(Describe(store().Diff("shop", one, two.new_oid, 10)), "NotFound");
}

TEST_P(GitContract, AcceptedObjectsAreSeenByAll) {
  Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  const FakeGit::Staged staged =
      driver_->Stage("shop", kMain, {{"b.yaml", "2"}}, "two\n", WallTime::FromSeconds(2), false);
  ASSERT_TRUE(store().ReadTree("shop", staged.new_oid, staged.quarantine).ok());
  driver_->Accept(staged);
  EXPECT_EQ(Text(store().Resolve("shop", kMain)), staged.new_oid);
  EXPECT_EQ(Describe(store().ReadTree("shop", staged.new_oid)), "b.yaml 1 d8263ee\n");
}

TEST_P(GitContract, ARefusedPushLeavesNothing) {
  const FakeGit::Staged staged =
      driver_->Stage("shop", kMain, {{"b.yaml", "2"}}, "two\n", WallTime::FromSeconds(2), false);
  ASSERT_TRUE(store().ReadTree("shop", staged.new_oid, staged.quarantine).ok());
  driver_->Drop(staged);
  EXPECT_EQ(CodeName(store().ReadCommit("shop", staged.new_oid).status()), "NotFound");
  EXPECT_EQ(CodeName(store().ReadCommit("shop", staged.new_oid, staged.quarantine).status()),
            "NotFound");
  EXPECT_EQ(CodeName(store().Resolve("shop", kMain).status()), "NotFound");
}

TEST_P(GitContract, CommitWritesTheWholeTreeAndAddsHistory) {
  const Result<std::string> one =
      store().Commit("shop", StatusCommit({{"a/x.yaml", "1"}, {"b.yaml", "2"}}, "first\n", 60));
  const Result<std::string> two =
      store().Commit("shop", StatusCommit({{"a/x.yaml", "3"}}, "second\n", 120));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(Text(store().Resolve("shop", kStatus)), *two);
  EXPECT_EQ(Describe(store().ReadTree("shop", *one)), "a/x.yaml 1 56a6051\nb.yaml 1 d8263ee\n");
  EXPECT_EQ(Describe(store().ReadTree("shop", *two)), "a/x.yaml 1 e440e5c\n");
  EXPECT_EQ(Describe(store().ReadCommit("shop", *two)),
            "1 parents, plumb <plumb@localhost> at 1970-01-01T00:02:00Z: second | ");
  EXPECT_EQ(Subjects(store().History("shop", *two, 9)), "second\nfirst\n");
}

TEST_P(GitContract, ACommitCanBeAChangeOfAnother) {
  const Result<std::string> one = store().Commit(
      "shop", StatusCommit({{"a/b/x", "1"}, {"a/c/y", "2"}, {"d/z", "3"}, {"e", "4"}}, "m\n", 1));
  ASSERT_TRUE(one.ok());
  GitStore::NewCommit change = StatusCommit({{"a/b/x", "5"}, {"f/g/h", "6"}}, "change\n", 2);
  change.base = *one;
  change.removed = {"d/z", "e", "never/there"};
  const Result<std::string> two = store().Commit("shop", change);
  ASSERT_TRUE(two.ok()) << two.status().ToString();
  // The same id as that of a commit of the whole tree: the same trees, none of them empty.
  const Result<std::string> whole = store().Commit(
      "shop", StatusCommit({{"a/b/x", "5"}, {"a/c/y", "2"}, {"f/g/h", "6"}}, "change\n", 3));
  EXPECT_EQ(Text(whole), *two);
  EXPECT_EQ(Subjects(store().History("shop", *two, 9)), "change\nm\n");
  EXPECT_EQ(CodeName(store().Commit("shop", change).status()), "Conflict");
  GitStore::NewCommit rest = StatusCommit({}, "nothing\n", 4);
  rest.base = *two;
  rest.removed = {"a/b/x", "a/c/y", "f/g/h"};
  const Result<std::string> three = store().Commit("shop", rest);
  ASSERT_TRUE(three.ok());
  EXPECT_EQ(store().ReadCommit("shop", *three)->tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

TEST_P(GitContract, CommitOfTheSameTreeWritesNothing) {
  const Result<std::string> one = store().Commit("shop", StatusCommit({{"a", "1"}}, "first\n", 60));
  const Result<std::string> two = store().Commit("shop", StatusCommit({{"a", "1"}}, "again\n", 99));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(Text(two), *one);
  EXPECT_EQ(Subjects(store().History("shop", *one, 9)), "first\n");
}

TEST_P(GitContract, CommitOfNoFilesIsAnEmptyTree) {
  const Result<std::string> one = store().Commit("shop", StatusCommit({}, "empty\n", 60));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(Describe(store().ReadTree("shop", *one)), "");
  EXPECT_EQ(store().ReadCommit("shop", *one)->tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

TEST_P(GitContract, HistoryStartsAgainBeyondItsBound) {
  std::string lengths;
  for (int i = 1; i <= 7; ++i) {
    GitStore::NewCommit commit = StatusCommit({{"n", std::to_string(i)}}, "n\n", i);
    commit.keep_history = 3;
    const Result<std::string> oid = store().Commit("shop", commit);
    ASSERT_TRUE(oid.ok());
    lengths += std::to_string(store().History("shop", *oid, 99)->size()) + " ";
  }
  EXPECT_EQ(lengths, "1 2 3 4 1 2 3 ");
}

TEST_P(GitContract, CommitRefusesWhatNoCheckoutShouldMeet) {
  const auto commit = [&](const FakeGit::Files& files) {
    return store().Commit("shop", StatusCommit(files, "m\n", 1)).status();
  };
  for (const std::string path :
       {"", "/a", "a/", "a//b", "../a", "a/./b", ".git/config", "x/.GIT/y", "GIT~1", "a\nb"}) {
    EXPECT_EQ(CodeName(commit({{path, "1"}})), "Invalid") << path;
  }
  EXPECT_EQ(commit({{"a", "1"}, {"a-b", "1"}, {"a/b", "1"}}).message(),
            "file \"a/b\": a file and a directory have one name; rename one");
  GitStore::NewCommit author = StatusCommit({}, "m\n", 1);
  author.author_name = "plumb <x>";
  EXPECT_EQ(CodeName(store().Commit("shop", author).status()), "Invalid");
  EXPECT_EQ(CodeName(store().Resolve("shop", kStatus).status()), "NotFound");
}

TEST_P(GitContract, LimitsNameThePath) {
  const auto commit = [&](const FakeGit::Files& files) {
    return store().Commit("shop", StatusCommit(files, "m\n", 1)).status();
  };
  std::string deep;
  for (size_t i = 0; i < kMaxTreeDepth; ++i) deep += "d/";
  EXPECT_EQ(commit({{deep + "f", ""}}).message(),
            "file \"" + deep + "f\" lies deeper than 64 levels");
  EXPECT_TRUE(commit({{deep.substr(2) + "f", ""}}).ok());
  EXPECT_EQ(commit({{"big.bin", std::string(kMaxBlobBytes + 1, 'x')}}).message(),
            "file \"big.bin\" has 4194305 bytes, more than 4194304");
  EXPECT_TRUE(commit({{"big.bin", std::string(kMaxBlobBytes, 'x')}}).ok());
}

TEST_P(GitContract, ANoteIsReplaced) {
  const std::string one = Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  const std::string two = Push(kMain, {{"a.yaml", "2"}}, "two\n", 2);
  EXPECT_EQ(CodeName(store().ReadNote("shop", kNotes, one).status()), "NotFound");
  ASSERT_TRUE(store().WriteNote("shop", kNotes, one, "waiting\n", WallTime::FromSeconds(5)).ok());
  ASSERT_TRUE(store().WriteNote("shop", kNotes, two, "failed\n", WallTime::FromSeconds(6)).ok());
  ASSERT_TRUE(store().WriteNote("shop", kNotes, one, "healthy\n", WallTime::FromSeconds(7)).ok());
  EXPECT_EQ(Text(store().ReadNote("shop", kNotes, one)), "healthy\n");
  EXPECT_EQ(Text(store().ReadNote("shop", kNotes, two)), "failed\n");
  const Result<std::string> tip = store().Resolve("shop", kNotes);
  ASSERT_TRUE(tip.ok());
  EXPECT_EQ(store().History("shop", *tip, 9)->size(), 3u);
}

TEST_P(GitContract, AForcePushLeavesTheOldCommitsLine) {
  Push(kMain, {{"a", "1"}}, "one\n", 1);
  const std::string two = Push(kMain, {{"a", "2"}}, "two\n", 2);
  const std::string other = Push(kMain, {{"a", "3"}}, "three\n", 3, /*force=*/true);
  EXPECT_EQ(Text(store().Resolve("shop", kMain)), other);
  EXPECT_EQ(Subjects(store().History("shop", two, 9)), "two\none\n");
  EXPECT_EQ(Subjects(store().History("shop", other, 9)).find("two"), std::string::npos);
}

TEST_P(GitContract, HistoryEndsAtItsBound) {
  std::string last;
  for (int i = 1; i <= 5; ++i) {
    last = Push(kMain, {{"a", std::to_string(i)}}, "change " + std::to_string(i) + "\n", i);
  }
  EXPECT_EQ(Subjects(store().History("shop", last, 2)), "change 5\nchange 4\n");
  EXPECT_EQ(Subjects(store().History("shop", last, 0)), "");
}

TEST_P(GitContract, BranchesAndTagsAreCounted) {
  EXPECT_EQ(*store().CountRefs("shop"), 0u);
  const std::string one = Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  Push("refs/heads/topic", {{"a.yaml", "2"}}, "two\n", 2);
  Push("refs/tags/v1", {{"a.yaml", "3"}}, "three\n", 3);
  ASSERT_TRUE(store().WriteNote("shop", kNotes, one, "x", {}).ok());
  EXPECT_EQ(*store().CountRefs("shop"), 3u);
  EXPECT_EQ(CodeName(store().CountRefs("none").status()), "NotFound");
}

TEST_P(GitContract, APushOnTopOfWhatIsThereHasNoGap) {
  Push(kMain, {{"a.yaml", "1"}}, "one\n", 1);
  const FakeGit::Staged staged =
      driver_->Stage("shop", kMain, {{"b.yaml", "2"}}, "two\n", WallTime::FromSeconds(2), false);
  EXPECT_EQ(Text(store().MissingAncestor("shop", {staged.new_oid}, staged.quarantine)), "");
  const std::string none = "1234567890123456789012345678901234567890";
  EXPECT_EQ(Text(store().MissingAncestor("shop", {none}, staged.quarantine)), none);
}

}  // namespace gitsync
