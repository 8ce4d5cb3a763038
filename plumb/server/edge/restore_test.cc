// Backups written by hand, frame by frame, and what a restore makes of them. Bundles are git's own.
#include "plumb/server/edge/restore.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <initializer_list>
#include <limits>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "gitsync/edge/git_host.h"
#include "gitsync/plan/repository.h"
#include "plumb/data_directory.h"
#include "plumb/reports/backup_format.h"
#include "state/record.h"

namespace plumb {
namespace {

using base::Json;

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    char name[] = "/tmp/restore_test.XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    root_ = name;
    setenv("TMPDIR", name, 1);
  }
  ~RestoreTest() override {
    unsetenv("TMPDIR");
    EXPECT_TRUE(base::RemoveTree(root_).ok());
  }

  void Head(const std::string& revision = "100") {
    Put(FrameKind::kHead, Json::MakeObject({{"plumb", "1"},
                                            {"created", "2026-01-01T00:00:00Z"},
                                            {"revision", revision},
                                            {"storeFormat", state::kFormatVersion}})
                              .ToString());
  }
  void Repository(const std::string& name, const std::string& branch,
                  const std::string& ns = "plumb-system") {
    Object(std::string(gitsync::kGitRepositories), name, ns,
           Json::MakeObject(
               {{"apiVersion", "source.toolkit.fluxcd.io/v1"},
                {"kind", "GitRepository"},
                {"metadata", Json::MakeObject({{"name", name}, {"namespace", ns}})},
                {"spec", Json::MakeObject({{"url", "https://x/a.git"},
                                           {"interval", "1m"},
                                           {"ref", Json::MakeObject({{"branch", branch}})}})}}));
  }
  void ConfigMap(const std::string& key, const std::string& name, state::Revision revision = 0) {
    if (revision != 0) next_ = revision;
    Object("configmaps", key, "default",
           Json::MakeObject(
               {{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", Json::MakeObject({{"name", name}, {"namespace", "default"}})}}));
  }
  void Object(const std::string& resource, const std::string& name, const std::string& ns,
              const Json& document) {
    const auto object = std::make_shared<const state::Object>(
        state::Object{{resource, ns, name}, next_, *base::Document::Parse(document.ToString())});
    Put(FrameKind::kObject, state::RecordKey(next_++).substr(state::kLogFirst.size()) +
                                state::EncodeRecord({false, true, object}));
    ++objects_;
  }
  void File(const std::string& path, const std::string& content) {
    Put(FrameKind::kFile, path);
    Put(FrameKind::kData, content);
  }
  void End(const Json& left_out = Json::MakeArray()) {
    Put(FrameKind::kEnd,
        Json::MakeObject({{"objects", objects_}, {"files", 0}, {"leftOut", left_out}}).ToString());
  }
  void Put(FrameKind kind, const std::string& payload) { bytes_ += writer_.Write(kind, payload); }

  // A repository of one commit, on branch main.
  std::string Bundle() {
    const std::string work = root_ + "/work", file = root_ + "/work.bundle";
    const auto git = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {"git", "-C", work, "-c", "user.name=a", "-c", "user.email=a@b"});
      const auto run = base::RunChecked(words);
      EXPECT_TRUE(run.ok()) << run.status().ToString();
    };
    EXPECT_TRUE(base::MakeDirectories(work, 0700).ok());
    git({"init", "-q", "-b", "main"});
    git({"commit", "-q", "--allow-empty", "-m", "one"});
    git({"bundle", "create", "-q", file, "--all"});
    return *base::ReadFile(file, 1 << 20);
  }

  std::string backup() { return root_ + "/backup"; }
  std::string target() { return root_ + "/target"; }
  // "2 repositories", and what was left out; or the failure. The same by all three ways.
  std::string Restore() {
    EXPECT_TRUE(base::WriteFileAtomic(backup(), bytes_, 0600).ok());
    const std::string restored = Told(RestoreBackup(backup(), target()));
    EXPECT_EQ(Told(TryBackup(backup())), restored);
    const size_t made = std::filesystem::exists(target()) ? 2 : 1;  // with the backup itself
    EXPECT_EQ(base::ListDirectory(root_)->size(), entries_ + made) << "something of a try stays";
    return restored;
  }
  static std::string Told(const base::Result<BackupSummary>& summary) {
    if (!summary.ok()) {
      const std::string why = summary.status().ToString();
      const size_t at = why.find("the backup");
      return at == std::string::npos ? why : why.substr(at);
    }
    std::string text = std::to_string(summary->repositories) + " repositories";
    for (const std::string& sentence : summary->left_out) text += "\n" + sentence;
    return text;
  }
  // The commit that a restored repository's branch has.
  std::string Subject(const std::string& repository) {
    gitsync::GitHostOptions options;
    options.root = DataDirectory(target()).git();
    options.hook_socket = root_ + "/hook";
    options.hook_program = "/usr/bin/true";
    const auto store = gitsync::OpenGitStore(options);
    const auto head = store->Resolve(repository, "refs/heads/main");
    if (!head.ok()) return std::string(base::ReasonOf(head.status().code()));
    return store->ReadCommit(repository, *head)->subject;
  }

  std::string root_, bytes_;
  BackupWriter writer_;
  state::Revision next_ = 1;
  int64_t objects_ = 0;
  size_t entries_ = 0;  // of root_, besides the backup and what it was restored to
};

TEST_F(RestoreTest, AWholeBackupComesBackWhole) {
  const std::string bundle = Bundle();
  entries_ = 2;
  Head();
  Repository("shop", "main");
  ConfigMap("a", "a");
  File("git/shop.bundle", bundle);
  End();
  EXPECT_EQ(Restore(), "1 repositories");
  EXPECT_EQ(Subject("shop"), "one");
}

TEST_F(RestoreTest, WhatIsWrongWithOneRepositoryCostsThatOneOnly) {
  const std::string bundle = Bundle();
  entries_ = 2;
  Head();
  Repository("bad-branch", "a b");
  Repository("torn", "main");
  Repository("good", "main");
  Repository("unread", "main");
  Repository("my.repo", "main");
  Repository("else.where", "a b", "default");
  File("git/bad-branch.bundle", bundle);
  File("git/good.bundle", bundle);
  File("git/torn.bundle", bundle.substr(0, bundle.size() / 2));
  File("git/unread.bundle", "half of");
  File("git/unknown.bundle", bundle);
  End(Json::MakeArray({Json::MakeObject({{"repository", "unread"}, {"why", "git failed"}})}));
  std::string told = Restore();
  const size_t torn = told.find("repository torn is left out: ");
  ASSERT_NE(torn, std::string::npos) << told;
  told.erase(torn);
  EXPECT_EQ(told,
            "4 repositories\n"
            "repository bad-branch deploys nothing until spec.ref.branch of its GitRepository, \"a "
            "b\", names a branch\n"
            "repository my.repo is left out: \"my.repo\" cannot name a repository: use at most 63 "
            "lower-case letters, digits and '-', with a letter or digit at both ends\n"
            "git/unknown.bundle is left out: there is no repository of that name\n"
            "repository unread is left out: git failed\n");
  EXPECT_EQ(Subject("good"), "one");
  EXPECT_EQ(Subject("bad-branch"), "one");
  EXPECT_EQ(Subject("torn"), "NotFound");
  EXPECT_EQ(Subject("unread"), "NotFound");
  const auto names = base::ListDirectory(DataDirectory(target()).git());
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    EXPECT_FALSE(name.ends_with(".bundle")) << name;
  }
}

TEST_F(RestoreTest, ARevisionThatLeavesNoRoomIsRefused) {
  const std::string most = std::to_string(std::numeric_limits<uint64_t>::max() - kRestoreGap + 1);
  Head(most);
  End();
  EXPECT_EQ(Restore(), "the backup's revision " + most + " leaves no room for later ones");
}

TEST_F(RestoreTest, NoRevisionIsRefused) {
  Head("");
  End();
  EXPECT_EQ(Restore(), "the backup's first frame holds no revision");
}

TEST_F(RestoreTest, ASecondHeadIsRefused) {
  Head();
  Head();
  End();
  EXPECT_EQ(Restore(), "the backup holds a frame out of its place");
}

TEST_F(RestoreTest, AnObjectBehindAFileIsRefused) {
  Head();
  Repository("shop", "main");
  File("git/shop.bundle", "x");
  ConfigMap("a", "a");
  End();
  EXPECT_EQ(Restore(), "the backup holds a frame out of its place");
}

TEST_F(RestoreTest, DataWithoutAFileIsRefused) {
  Head();
  Put(FrameKind::kData, "x");
  End();
  EXPECT_EQ(Restore(), "the backup holds a frame out of its place");
}

TEST_F(RestoreTest, AnObjectUnderAnothersKeyIsRefused) {
  Head();
  ConfigMap("a", "b");
  End();
  EXPECT_EQ(Restore(), "the backup holds configmaps default/a under a key that is not its own");
}

TEST_F(RestoreTest, OneKeyOrRevisionTwiceIsRefused) {
  Head();
  ConfigMap("a", "a");
  ConfigMap("b", "b", 1);
  End();
  EXPECT_EQ(Restore(),
            "the backup holds configmaps default/b twice, or two objects of one revision");
}

TEST_F(RestoreTest, FilesOfStrangeNamesAreRefused) {
  for (const std::string path : {"git/../x.bundle", "git/shop.git", "git/.bundle", "git/A.bundle",
                                 "pki/../x", "pki/a/b", "store/CURRENT", "pki/"}) {
    bytes_.clear();
    writer_ = BackupWriter();
    objects_ = 0;
    Head();
    Put(FrameKind::kFile, path);
    End();
    EXPECT_EQ(Restore(), "the backup holds a file of a strange name") << path;
  }
}

TEST_F(RestoreTest, ADirectoryOfAnotherUserIsNotFilled) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  Head();
  End();
  ASSERT_TRUE(base::WriteFileAtomic(backup(), bytes_, 0600).ok());
  ASSERT_TRUE(base::MakeDirectories(target(), 0777).ok());
  ASSERT_EQ(chown(target().c_str(), 65534, 65534), 0);
  EXPECT_EQ(
      RestoreBackup(backup(), target()).status().ToString(),
      "Forbidden: " + target() + " belongs to another user; restore into a directory of your own");
  ASSERT_EQ(symlink(root_.c_str(), (root_ + "/link").c_str()), 0);
  EXPECT_FALSE(RestoreBackup(backup(), root_ + "/link").ok());
}

}  // namespace
}  // namespace plumb
