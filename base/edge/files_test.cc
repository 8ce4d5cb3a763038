#include "base/edge/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace base {
namespace {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/plumb-files-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { EXPECT_EQ(RemoveTree(root_).ToString(), "OK"); }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, std::string_view data) {
    ASSERT_EQ(WriteFileAtomic(Path(name), data, 0644).ToString(), "OK");
  }
  // What is in the directory, in one line.
  std::string List(const std::string& name = ".") {
    const Result<std::vector<std::string>> names = ListDirectory(Path(name));
    if (!names.ok()) return names.status().ToString();
    std::string line;
    for (const std::string& entry : *names) line += entry + " ";
    return line;
  }
  // The status with the test's directory shown as ROOT.
  std::string Text(const Status& status) const {
    std::string text = status.ToString();
    for (size_t at; (at = text.find(root_)) != std::string::npos;) {
      text.replace(at, root_.size(), "ROOT");
    }
    return text;
  }

  std::string root_;
};

TEST_F(FilesTest, AtomicWriteReplacesContentAndModeAndLeavesNothingElse) {
  Write("config", "old");
  ASSERT_TRUE(WriteFileAtomic(Path("config"), "new\n", 0600).ok());
  EXPECT_EQ(*ReadFile(Path("config"), 100), "new\n");
  struct stat about;
  ASSERT_EQ(stat(Path("config").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  EXPECT_EQ(List(), "config ");
}

TEST_F(FilesTest, AtomicWriteThatFailsLeavesTheOldContentAndNoTemporaryFile) {
  ASSERT_TRUE(MakeDirectories(Path("config/inside"), 0755).ok());
  const Status status = WriteFileAtomic(Path("config"), "new", 0644);
  EXPECT_EQ(Text(status), "InternalError: cannot replace ROOT/config: Is a directory");
  EXPECT_EQ(List(), "config ");
  EXPECT_EQ(Text(WriteFileAtomic(Path("no/such"), "x", 0644)),
            "NotFound: cannot create a file beside ROOT/no/such: No such file or directory");
}

TEST_F(FilesTest, AFullDiskSaysWhatToDo) {
  EXPECT_EQ(ErrnoStatus("cannot write a", ENOSPC).message(),
            "cannot write a: No space left on device; free some space, then try again");
}

TEST_F(FilesTest, ReadRefusesWhatIsLargerThanItsLimit) {
  Write("ten", "0123456789");
  EXPECT_EQ(*ReadFile(Path("ten"), 10), "0123456789");
  EXPECT_EQ(ReadFile(Path("ten"), 9).status().code(), Code::kTooLarge);
  EXPECT_EQ(Text(ReadFile(Path("none"), 9).status()),
            "NotFound: cannot open ROOT/none: No such file or directory");
}

TEST_F(FilesTest, MakeDirectoriesMakesWhatIsMissing) {
  ASSERT_TRUE(MakeDirectories(Path("a/b"), 0700).ok());
  ASSERT_TRUE(MakeDirectories(Path("a/b/c/d/"), 0700).ok());
  EXPECT_EQ(List("a/b/c"), "d ");
}

TEST_F(FilesTest, MakeDirectoriesNamesTheFileInItsWay) {
  Write("a", "");
  EXPECT_EQ(Text(MakeDirectories(Path("a/b"), 0700)),
            "AlreadyExists: cannot create directory ROOT/a/b: ROOT/a is a file");
}

TEST_F(FilesTest, ListIsSortedAndHoldsHiddenNames) {
  for (const char* name : {"b", ".hidden", "a"}) Write(name, "");
  EXPECT_EQ(List(), ".hidden a b ");
  EXPECT_EQ(ListDirectory(Path("none")).status().code(), Code::kNotFound);
}

TEST_F(FilesTest, RemoveTreeRemovesAllBelowAndMindsNothingMissing) {
  ASSERT_TRUE(MakeDirectories(Path("tree/a/b"), 0755).ok());
  Write("tree/a/file", "x");
  Write("tree/a/b/file", "x");
  EXPECT_EQ(Text(RemoveTree(Path("tree/"))), "OK");
  EXPECT_EQ(Text(RemoveTree(Path("tree"))), "OK");
  EXPECT_EQ(List(), "");
}

TEST_F(FilesTest, RemoveTreeRemovesLinksAndNotWhatTheyPointTo) {
  ASSERT_TRUE(MakeDirectories(Path("kept"), 0755).ok());
  ASSERT_TRUE(MakeDirectories(Path("tree"), 0755).ok());
  Write("kept/file", "x");
  ASSERT_EQ(symlink(Path("kept").c_str(), Path("tree/to-directory").c_str()), 0);
  ASSERT_EQ(symlink(Path("kept/file").c_str(), Path("tree/to-file").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", Path("tree/dangling").c_str()), 0);
  ASSERT_EQ(symlink(Path("kept").c_str(), Path("link").c_str()), 0);
  EXPECT_EQ(Text(RemoveTree(Path("tree"))), "OK");
  EXPECT_EQ(Text(RemoveTree(Path("link"))), "OK");
  EXPECT_EQ(List() + List("kept"), "kept file ");
}

TEST_F(FilesTest, RemoveTreeRefusesATreeThatIsTooDeep) {
  UniqueFd directory(open(root_.c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i <= kMaxTreeDepth; ++i) {
    ASSERT_EQ(mkdirat(directory.get(), "d", 0755), 0);
    directory.Reset(openat(directory.get(), "d", O_RDONLY | O_DIRECTORY));
  }
  EXPECT_EQ(RemoveTree(Path("d")).code(), Code::kTooLarge);
  // Half of it moved up, both halves are shallow enough.
  std::string half = root_;
  for (int i = 0; i < kMaxTreeDepth / 2; ++i) half += "/d";
  ASSERT_EQ(rename(half.c_str(), Path("half").c_str()), 0);
  EXPECT_EQ(RemoveTree(Path("d")).ToString(), "OK");
}

TEST(UniqueFdTest, ClosesOnceAndMoves) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  UniqueFd read(ends[0]);
  {
    const UniqueFd write(ends[1]);
    UniqueFd moved(std::move(read));
    EXPECT_FALSE(read.valid());
    read = std::move(moved);
  }
  char byte;
  EXPECT_EQ(::read(read.get(), &byte, 1), 0);  // the other end is closed: end of file
  EXPECT_EQ(fcntl(ends[1], F_GETFD), -1);
  EXPECT_EQ(read.Release(), ends[0]);
  EXPECT_EQ(close(ends[0]), 0);  // still open: Release gave it to us
}

}  // namespace
}  // namespace base
